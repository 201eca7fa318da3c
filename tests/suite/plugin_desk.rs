//! `plugin inspect` and `plugin run`: a component on its author's desk.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::workbench::{Run, command_in};

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("note.md", "---\ntopic: paper\n---\nOrder paper.");
        desk
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
fn without_replies_a_run_ends_at_the_first_question() {
    let desk = Desk::new();
    let arguments = ["plugin", "run", TWO_STEPS, "--input", "note.md", "--json"];
    let run = desk.run(&arguments).expect_code(4);
    let record = run.json();
    assert_eq!(record["status"], "waiting");
    assert_eq!(record["requests"].as_array().unwrap().len(), 1);
    assert!(run.says("First: Order paper."), "{run:?}");
}

#[test]
fn replies_are_given_in_order_and_the_outputs_are_shown() {
    let desk = Desk::new();
    desk.write("replies.json", r#"["one", "two"]"#);
    let arguments = ["plugin", "run", TWO_STEPS, "--input", "note.md"];
    let more = ["--replies", "replies.json"];
    let run = desk.run(&[&arguments[..], &more].concat()).expect_code(0);
    for text in [
        "user: Second: one",
        "output 1: note (text)",
        "  two",
        "fuel ",
    ] {
        assert!(run.stdout.contains(text), "{text}: {run:?}");
    }
}

#[test]
fn a_crash_at_the_desk_says_what_the_plugin_last_said() {
    let desk = Desk::new();
    let panic = synix_test_components::PANIC;
    let run = desk.run(&["plugin", "run", panic, "--input", "note.md"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("cannot bear the input note"), "{run:?}");
}

#[test]
fn of_several_units_one_is_chosen() {
    let desk = Desk::new();
    desk.write("other.md", "Else.");
    let arguments = [
        "plugin", "run", TWO_STEPS, "--input", "note.md", "--input", "other.md",
    ];
    let run = desk.run(&arguments).expect_code(2);
    assert!(run.says("--unit: note, other"), "{run:?}");
    let more = ["--unit", "other", "--reply", "- x", "--json"];
    let run = desk.run(&[&arguments[..], &more].concat()).expect_code(0);
    assert_eq!(run.json()["outputs"][0]["label"], "other");
}

#[test]
fn a_file_that_the_config_names_stands_beside_the_configs_own() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("configs")).unwrap();
    desk.write(
        "configs/ask.md",
        "About {{ metadata.topic }}: {{ content }}",
    );
    desk.write("configs/map.toml", "prompt_file = \"ask.md\"");
    let map = synix_test_components::MAP;
    let arguments = ["plugin", "run", map, "--input", "note.md"];
    let more = ["--config", "@configs/map.toml", "--reply", "x"];
    let run = desk.run(&[&arguments[..], &more].concat()).expect_code(0);
    assert!(
        run.stdout.contains("user: About paper: Order paper."),
        "{run:?}"
    );
}

#[test]
fn a_component_is_looked_into() {
    let desk = Desk::new();
    let map = synix_test_components::MAP;
    let found = desk
        .run(&["plugin", "inspect", map, "--json"])
        .expect_code(0)
        .json();
    assert_eq!(found["name"], "map");
    assert_eq!(found["shape"], "per-input");
    assert_eq!(found["capabilities"][0], "llm");
    assert_eq!(found["needs_wasi"], false);
    assert_eq!(found["config_schema"]["type"], "object");
    let run = desk.run(&["plugin", "inspect", "none.wasm"]).expect_code(2);
    assert!(run.says("there is no component none.wasm"), "{run:?}");
}

#[test]
fn inputs_stand_in_label_order_and_each_label_once() {
    let desk = Desk::new();
    desk.write("a.md", "First.");
    let map = synix_test_components::MAP;
    let arguments = ["plugin", "run", map, "--config", r#"{"prompt": "q"}"#];
    let inputs = ["--input", "note.md", "--input", "a.md"];
    let run = desk.run(&[&arguments[..], &inputs].concat()).expect_code(2);
    assert!(run.says("--unit: a, note"), "{run:?}");
    desk.write("note.txt", "Another.");
    let twice = [
        "--input", "note.md", "--input", "a.md", "--input", "note.txt",
    ];
    let run = desk.run(&[&arguments[..], &twice].concat()).expect_code(2);
    assert!(run.says("two inputs have the label \"note\""), "{run:?}");
}

#[test]
fn a_unit_runs_with_what_it_adds_to_the_config() {
    let desk = Desk::new();
    let grouped = synix_test_components::GROUPED;
    let arguments = ["plugin", "run", grouped, "--input", "note.md", "--json"];
    let more = ["--config", r#"{"by": "topic"}"#, "--reply", "x"];
    let run = desk.run(&[&arguments[..], &more].concat()).expect_code(0);
    let record = run.json();
    assert_eq!(record["unit"], "paper");
    assert_eq!(record["outputs"][0]["label"], "paper");
    assert!(run.says("Describe paper: note"), "{run:?}");
}

#[test]
fn log_and_fuel_of_a_run_are_shown() {
    let desk = Desk::new();
    let print = synix_test_components::WASI_PRINT;
    let run = desk
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
fn a_config_that_does_not_fit_its_schema_is_a_usage_error() {
    let desk = Desk::new();
    let map = synix_test_components::MAP;
    let arguments = ["plugin", "run", map, "--input", "note.md", "--config"];
    let run = desk.run(&[&arguments[..], &[r#"{"prompt": 1}"#]].concat());
    assert!(
        run.code == 2 && run.says("the config does not match"),
        "{run:?}"
    );
}
