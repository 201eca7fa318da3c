//! Valid pipeline files, and the errors for invalid ones.

mod arbitrary;
mod engine;
mod graph;
mod invalid_keys;
mod invalid_values;
mod outputs;
mod overrides;
mod prices;
mod shared;
mod valid;

use std::num::NonZero;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use synix_core::request::Wire;
use synix_test_edits as edits;

/// A file with every kind of table. It is also a seed of the fuzz target.
const EVERYTHING: &str = include_str!("../../../../fuzz/seeds/pipeline/everything.toml");

const HEAD: &str = "pipeline.name = \"p\"\n\n";
const GOOD: &str = r#"
[pipeline]
name = "team-report"

[providers.openai]
base_url = "http://127.0.0.1:8181/v1"
batch = true

[models.default]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 1024
temperature = 0.3

[models.cheap]
provider = "openai"
model = "gpt-4o-mini"

[layers.team-summary]
transform = "./plugins/mine.wasm"
inputs = ["work-styles"]
batch = false

[layers.bios]
source = "sources/bios/*.md"

[layers.work-styles]
transform = "map"
inputs = ["bios"]
model = "cheap"
batch = true
accept = ["truncated"]

[layers.work-styles.config]
prompt_file = "prompts/work-style.md"
label = "ws-{{ label }}"

[layers.work-styles.limits]
memory_mb = 64
"#;

/// Returns the errors in a file that starts with the two lines of [`HEAD`].
fn errors(rest: &str) -> String {
    match parse(&format!("{HEAD}{rest}")) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

/// Returns the errors in a transform layer whose lines start at line 6.
fn transform_errors(lines: &str) -> String {
    errors(&format!(
        "layers.a.source = \"a/*\"\n[layers.b]\ntransform = \"map\"\n{lines}"
    ))
}
