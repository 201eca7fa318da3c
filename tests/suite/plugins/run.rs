//! `plugin inspect` and `plugin run`: what the author of a plugin sees of it.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::invocation::Run;
use crate::support::test_project::command_in;
use crate::support::transcript::assert_transcript;

struct AuthorFolder(TempDir);

impl AuthorFolder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("note.md", "---\ntopic: paper\n---\nOrder paper.");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        command_in(self.0.path(), arguments).run()
    }
}

const TWO_STEPS: &str = synix_test_components::TWO_STEPS;

#[test]
fn a_run_without_replies_ends_at_the_first_request() {
    let folder = AuthorFolder::new();
    let arguments = ["plugin", "run", TWO_STEPS, "--input", "note.md", "--json"];
    let run = folder.run(&arguments).expect_code(4);
    let record = run.json();
    assert_eq!(record["status"], "waiting");
    assert_eq!(record["requests"].as_array().unwrap().len(), 1);
    assert!(run.says("First: Order paper."), "{run:?}");
}

#[test]
fn replies_are_used_in_order_and_the_outputs_are_shown() {
    let folder = AuthorFolder::new();
    folder.write("replies.json", r#"["one", "two"]"#);
    let arguments = ["plugin", "run", TWO_STEPS, "--input", "note.md"];
    let more = ["--replies", "replies.json"];
    assert_transcript!(folder.run(&[&arguments[..], &more].concat()));
}

/// The plugin receives what it would receive in a build; the record has the reply.
#[test]
fn a_reply_must_match_the_response_format_of_its_question() {
    let folder = AuthorFolder::new();
    let config = r#"{"prompt": "q", "response_format": {"type": "object"}}"#;
    let run = |reply: &str| {
        let arguments = ["plugin", "run", "map", "--input", "note.md", "--json"];
        folder.run(&[&arguments[..], &["--config", config, "--reply", reply]].concat())
    };
    let fenced = "```json\n{\"a\": 1}\n```";
    let record = run(fenced).expect_code(0).json();
    assert_eq!(record["outputs"][0]["content"], r#"{"a": 1}"#);
    assert_eq!(record["requests"][0]["answer"], fenced);
    let refused = run("[1]").expect_code(1);
    let message = "at the top level: expected object, found array of 1 items";
    assert!(refused.says(message), "{refused:?}");
}

#[test]
fn a_crash_shows_what_the_plugin_logged_before() {
    let folder = AuthorFolder::new();
    let panic = synix_test_components::PANIC;
    let run = folder.run(&["plugin", "run", panic, "--input", "note.md"]);
    assert_eq!(run.code, 1);
    assert_transcript!(run);
}

#[test]
fn a_unit_must_be_named_if_there_are_several() {
    let folder = AuthorFolder::new();
    folder.write("other.md", "Else.");
    let arguments = [
        "plugin", "run", TWO_STEPS, "--input", "note.md", "--input", "other.md",
    ];
    let run = folder.run(&arguments).expect_code(2);
    assert_transcript!(run);
    let more = ["--unit", "other", "--reply", "- x", "--json"];
    let run = folder.run(&[&arguments[..], &more].concat()).expect_code(0);
    assert_eq!(run.json()["outputs"][0]["label"], "other");
}

#[test]
fn a_file_in_a_config_is_relative_to_the_file_of_the_config() {
    let folder = AuthorFolder::new();
    std::fs::create_dir(folder.path("configs")).unwrap();
    folder.write(
        "configs/ask.md",
        "About {{ metadata.topic }}: {{ content }}",
    );
    folder.write("configs/map.toml", "prompt_file = \"ask.md\"");
    let map = synix_test_components::MAP;
    let arguments = ["plugin", "run", map, "--input", "note.md"];
    let more = ["--config", "@configs/map.toml", "--reply", "x"];
    let run = folder.run(&[&arguments[..], &more].concat()).expect_code(0);
    assert_transcript!(run);
}

#[test]
fn inspect_describes_a_component() {
    let folder = AuthorFolder::new();
    let map = synix_test_components::MAP;
    let found = folder
        .run(&["plugin", "inspect", map, "--json"])
        .expect_code(0)
        .json();
    assert_eq!(found["name"], "map");
    assert_eq!(found["shape"], "per-input");
    assert_eq!(found["capabilities"][0], "llm");
    assert_eq!(found["needs_wasi"], false);
    assert_eq!(found["config_schema"]["type"], "object");
    let run = folder
        .run(&["plugin", "inspect", "none.wasm"])
        .expect_code(2);
    assert_transcript!(run);
}

#[test]
fn inputs_are_in_label_order_and_have_unique_labels() {
    let folder = AuthorFolder::new();
    folder.write("a.md", "First.");
    let map = synix_test_components::MAP;
    let arguments = ["plugin", "run", map, "--config", r#"{"prompt": "q"}"#];
    let inputs = ["--input", "note.md", "--input", "a.md"];
    let run = folder
        .run(&[&arguments[..], &inputs].concat())
        .expect_code(2);
    assert_transcript!(run);
    folder.write("note.txt", "Another.");
    let twice = [
        "--input", "note.md", "--input", "a.md", "--input", "note.txt",
    ];
    let run = folder
        .run(&[&arguments[..], &twice].concat())
        .expect_code(2);
    assert_transcript!(run);
}

#[test]
fn a_unit_runs_with_its_own_additions_to_the_config() {
    let folder = AuthorFolder::new();
    let grouped = synix_test_components::GROUPED;
    let arguments = ["plugin", "run", grouped, "--input", "note.md", "--json"];
    let more = ["--config", r#"{"by": "topic"}"#, "--reply", "x"];
    let run = folder.run(&[&arguments[..], &more].concat()).expect_code(0);
    let record = run.json();
    assert_eq!(record["unit"], "paper");
    assert_eq!(record["outputs"][0]["label"], "paper");
    assert!(run.says("Describe paper: note"), "{run:?}");
}

#[test]
fn log_and_fuel_of_a_run_are_shown() {
    let folder = AuthorFolder::new();
    let print = synix_test_components::WASI_PRINT;
    let run = folder
        .run(&["plugin", "run", print, "--input", "note.md", "--json"])
        .expect_code(0);
    let record = run.json();
    assert_eq!(
        record["log"][0],
        serde_json::json!(["info", "printed in pieces"])
    );
    assert!(record["fuel"].as_u64().unwrap() > 1000, "{record}");
}

#[test]
fn a_config_that_violates_its_schema_is_a_usage_error() {
    let folder = AuthorFolder::new();
    let map = synix_test_components::MAP;
    let arguments = ["plugin", "run", map, "--input", "note.md", "--config"];
    let run = folder.run(&[&arguments[..], &[r#"{"prompt": 1}"#]].concat());
    assert!(
        run.code == 2 && run.says("the config does not match"),
        "{run:?}"
    );
}
