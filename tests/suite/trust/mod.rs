//! What needs the user's permission: without it nothing is run, called, sent or used, and with it only exactly that.

mod files;
mod hooks;
mod keys;
mod other_commands;
mod permissions;

use std::fs;

use crate::support::hostile_clone;
use crate::support::invocation::Run;
use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::TestProject;

/// One request for one note, to the provider at a URL.
pub(crate) fn project_with_provider_at(url: &str, more: &str) -> TestProject {
    let project = TestProject::with_layers("");
    project.write("notes/a.md", "a note");
    project.write("synix.toml", &pipeline_for(url, more, "Say: {{ content }}"));
    project
}

pub(crate) fn pipeline_for(url: &str, more: &str, prompt: &str) -> String {
    let provider = format!("base_url = \"{url}\"\nbatch = true\n{more}");
    hostile_clone::pipeline_with_one_prompt("", &provider, prompt)
}

/// Adds a line to the table `[pipeline]`.
pub(crate) fn with_pipeline_key(project: &TestProject, line: &str) {
    let file = fs::read_to_string(project.path("synix.toml")).unwrap();
    let (name, rest) = file.split_once("\n[providers").unwrap();
    let first: Vec<&str> = name.lines().take(2).collect();
    project.write(
        "synix.toml",
        &format!("{}\n{line}\n\n[providers{rest}", first.join("\n")),
    );
}

/// Asserts that a build was allowed, and only failed because no server answers.
#[track_caller]
pub(crate) fn assert_allowed(run: &Run) {
    assert!(matches!(run.code, 1 | 3), "{run:?}");
}

/// Every command that sends requests.
pub(crate) const SENDING_COMMANDS: [&[&str]; 3] =
    [&["build"], &["build", "--no-wait"], &BATCH_BUILD];
