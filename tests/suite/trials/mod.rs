//! Trials: a sample before the whole, other settings for one run, and their way into the pipeline file.

mod concurrent;
mod interruptions;
mod predictions;
mod promotion;
mod selection;
mod settings;
mod snapshots;
mod templates;
mod try_command;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::test_project::{TestProject, text};

/// Notes, a fact about each, and a summary of the facts.
const FACTS: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 100
temperature = 0.2

[layers.notes]
source = "notes/*.md"

# One question for each note.
[layers.facts]
transform = "map"
inputs = ["notes"]
[layers.facts.config]
prompt = "Facts of {{ label }}: {{ content }}"  # short

[layers.core]
transform = "reduce"
inputs = ["facts"]
[layers.core.config]
prompt = "Sum up:{% for one in inputs %} {{ one.label }}={{ one.content }}{% endfor %}"
label = "core"
"#;

/// Returns a project with these layers and this number of notes.
fn project_of(layers: &str, notes: usize) -> TestProject {
    let project = TestProject::with_layers(layers);
    for number in 1..=notes {
        add_note(&project, number);
    }
    project
}

fn facts_project(notes: usize) -> TestProject {
    project_of(FACTS, notes)
}

fn add_note(project: &TestProject, number: usize) {
    project.write(
        &format!("notes/{number:03}.md"),
        &format!("Note {number} is about something."),
    );
}

/// Returns `layer/label` of each artifact of a snapshot.
fn names_in(project: &TestProject, snapshot: &str) -> BTreeSet<String> {
    let listed = project.json(&["list", "--snapshot", snapshot]);
    let artifacts = listed["artifacts"].as_array().unwrap();
    artifacts
        .iter()
        .map(|one| format!("{}/{}", text(&one["layer"]), text(&one["label"])))
        .collect()
}

/// Returns the labels of a layer among such names.
fn labels_of(names: &BTreeSet<String>, layer: &str) -> BTreeSet<String> {
    let prefix = format!("{layer}/");
    let names = names.iter().filter_map(|name| name.strip_prefix(&prefix));
    names.map(str::to_owned).collect()
}

/// Returns the number of requests that a plan counts, which must be exact.
#[track_caller]
fn exact_requests(plan: &Value) -> u64 {
    assert_eq!(plan["total"]["exact"], true, "{plan}");
    plan["total"]["requests"].as_u64().unwrap()
}
