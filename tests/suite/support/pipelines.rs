//! Pipelines, modes and scripts that several files use.

use synix_scripted_provider::{Reply, Rule, Script};

use crate::support::test_project::TestProject;

/// Three people, a work style for each through a batch, and one summary by a sync call to another provider.
pub(crate) const TEAM: &str = r#"
[models.default]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 300

[models.cheap]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 200
temperature = 0.2

[layers.bios]
source = "bios/*.md"

[layers.styles]
transform = "map"
inputs = ["bios"]
model = "cheap"
batch = true
[layers.styles.config]
prompt_file = "prompts/style.md"
label = "ws-{{ label }}"
kind = "work-style"

[layers.summary]
transform = "reduce"
inputs = ["styles"]
batch = false
[layers.summary.config]
prompt = "Sum up:{% for one in inputs %}\n- {{ one.label }}: {{ one.content }}{% endfor %}"
label = "summary"
"#;

/// A pipeline over notes with these layers.
macro_rules! notes_pipeline {
    ($layers:literal) => {
        concat!(
            "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\nmax_tokens = 300\n",
            "[layers.notes]\nsource = \"notes/*.md\"\n",
            $layers
        )
    };
}
pub(crate) use notes_pipeline;

/// A pipeline with one layer of a guest, which uses batches.
pub(crate) fn guest_layers(guest: &str) -> String {
    format!(
        r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"

[layers.texts]
source = "texts/*.md"

[layers.made]
transform = "./plugins/{guest}.wasm"
inputs = ["texts"]
batch = true
"#
    )
}

/// A pipeline file with the providers at these URLs.
pub(crate) fn pipeline_file_at(openai: &str, anthropic: &str, layers: &str) -> String {
    format!(
        r#"[pipeline]
name = "suite"

[providers.openai]
base_url = "{openai}"
batch = true
look_again = [0, 0]
backoff = 0

[providers.anthropic]
base_url = "{anthropic}"
look_again = [0, 0]
backoff = 0
{layers}"#
    )
}

/// How a build gets its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Sync,
    Batch,
    Replay,
}

pub(crate) const MODES: [Mode; 3] = [Mode::Sync, Mode::Batch, Mode::Replay];

/// A batch build that polls until it is complete.
pub(crate) const BATCH_BUILD: [&str; 5] = ["batch-build", "run", "--poll", "--poll-interval", "0"];

/// Resumes the newest batch build and polls until it is complete.
pub(crate) const RESUME: [&str; 6] = [
    "batch-build",
    "resume",
    "--latest",
    "--poll",
    "--poll-interval",
    "0",
];

/// One Anthropic layer over three people, sent in batches.
pub(crate) const MESSAGE_BATCH_LAYERS: &str = r#"
[models.default]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 300
batch = true

[layers.bios]
source = "bios/*.md"

[layers.styles]
transform = "map"
inputs = ["bios"]
batch = true
[layers.styles.config]
prompt = "How does this person work?\n\n{{ content }}"
"#;

/// The layers of [`TEAM`], and the vectors of the people and of their work styles: through batches, and by sync calls.
pub(crate) fn embedded_team() -> TestProject {
    let project = TestProject::team();
    let vectors = r#"
[models.embedding]
provider = "openai"
model = "text-embedding-3-small"

[layers.people]
transform = "embed"
inputs = ["bios"]
batch = true

[layers.manners]
transform = "embed"
inputs = ["styles"]
batch = false
"#;
    project.pipeline("synix.toml", &format!("{TEAM}{vectors}"));
    project
}

/// Three people whose only requests are sent to Anthropic in a batch.
pub(crate) fn message_batch_project() -> TestProject {
    let project = TestProject::with_layers(MESSAGE_BATCH_LAYERS);
    project.script(Script::new());
    for name in ["amara", "bela", "chitra"] {
        project.write(&format!("bios/{name}.md"), &format!("I am {name}."));
    }
    project
}

/// A script that truncates every answer to what one person writes.
pub(crate) fn script_that_truncates(name: &str) -> Script {
    Script::new().rule(Rule::on(format!("I am {name}")).reply(truncated_answer()))
}

pub(crate) fn truncated_answer() -> Reply {
    Reply::Finish {
        reason: "length".to_owned(),
        text: Some("half a sen".to_owned()),
    }
}
