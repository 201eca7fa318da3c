//! `synix release`, and the formats of `synix export` that only files have.

mod checks;
mod documents;
mod files;
mod kills;
mod other_programs;
mod outputs;
mod publishing;

use std::fs;
use std::path::Path;

use serde_json::Value;
use synix_scripted_provider::{Rule, Script};

use crate::support::pipelines::notes_pipeline;
use crate::support::test_project::TestProject;

/// Notes, answers in JSON about them, and texts that no model wrote.
const LAYERS: &str = notes_pipeline!(
    r#"[layers.tagged]
transform = "map"
inputs = ["notes"]
[layers.tagged.config]
prompt = "Tag: {{ content }}"
[layers.tagged.config.response_format]
type = "object"

[layers.copies]
transform = "group"
inputs = ["notes"]
config = { by_template = "{{ label }}" }
"#
);

/// An output in each format that every build of synix has.
const OUTPUTS: &str = r#"
[outputs.memory]
layers = ["tagged", "notes"]
format = "document"
path = "memory.md"

[outputs.notes]
layers = ["notes", "tagged"]
format = "files"
path = "by-file"

[outputs.rows]
layers = ["tagged", "copies"]
format = "jsonl"
path = "data/rows.jsonl"

[outputs.table]
layers = ["tagged", "copies"]
format = "csv"
path = "data/table.csv"

[outputs.dataset]
layers = ["notes", "tagged"]
format = "croissant"
path = "dataset"
"#;

/// A project with two notes and an answer in JSON about each.
fn built_with(outputs: &str) -> TestProject {
    let project = TestProject::with_layers(&format!("{LAYERS}{outputs}"));
    project.write("notes/ann.md", "# Ann\n\nAnn, \"the painter\", lives here.");
    project.write("notes/bob.md", "=1+1 \u{e9}\u{1f600}");
    project.script(
        Script::new()
            .rule(Rule::on("Ann").text(
                r#"{"mood": "dry, \"very\"", "age": 41, "height": 1.7, "known": true, "tags": ["a", "b"], "mixed": "x", "label": "own"}"#,
            ))
            .rule(Rule::on("=1").text(
                r#"{"mood": null, "age": 9007199254740993, "height": 2, "known": false, "tags": [], "mixed": 3}"#,
            )),
    );
    project.ok(&["build"]);
    project
}

/// Returns the folder that `current` leads to.
fn current(project: &TestProject) -> String {
    let link = fs::read_link(project.path("release/current")).expect("a link");
    link.to_string_lossy().into_owned()
}

fn receipt(project: &TestProject) -> Value {
    let text = fs::read_to_string(project.path("release/current/receipt.json"));
    serde_json::from_str(&text.expect("a receipt")).expect("JSON")
}

/// Returns every path below a folder, sorted.
fn paths(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let entry = entry.expect("an entry");
            if entry.file_type().expect("a type").is_dir() {
                open.push(entry.path());
            } else {
                let path = entry.path();
                let relative = path.strip_prefix(folder).expect("a path below");
                found.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}
