//! `export`: artifacts in formats that other programs read.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use synix_scripted_provider::{Rule, Script};

use crate::support::pipelines::notes_pipeline;
use crate::support::test_project::TestProject;

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

/// Notes whose texts are hard for formats, and answers in JSON about them.
fn built() -> TestProject {
    let project = TestProject::with_layers(LAYERS);
    project.write("notes/a.md", "Ann, \"the painter\"\nlives here.");
    project.write("notes/b.md", "=1+1\u{e9}\u{1f600}");
    project.script(
        Script::new()
            .rule(
                Rule::on("Ann")
                    .text(r#"{"label": "x", "tags": ["a", "b"], "mood": "dry, \"very\""}"#),
            )
            .rule(Rule::on("=1").text(r#"{"mood": null, "count": 12345678901234567890}"#)),
    );
    project.ok(&["build"]);
    project
}

fn lines(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).expect("a JSON object");
    text.lines().map(parse).collect()
}

#[test]
fn each_line_is_an_artifact_with_its_provenance() {
    let project = built();
    let rows = lines(&project.ok(&["export", "copies", "tagged"]).stdout);
    let names: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{}/{}",
                row["layer"].as_str().unwrap(),
                row["label"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(names, ["copies/a", "copies/b", "tagged/a", "tagged/b"]);
    assert_eq!(rows[0]["content"], "Ann, \"the painter\"\nlives here.");
    assert_eq!(rows[2]["data"]["tags"], json!(["a", "b"]));
    assert!(rows[2].get("content").is_none());
    let shown = project.json(&["show", "tagged/a"]);
    assert_eq!(rows[2]["provenance"], shown["provenance"]);
    assert_eq!(rows[2]["metadata"], shown["metadata"]);
}

/// Python's module reads every cell as it was.
#[test]
fn csv_is_read_by_another_program() {
    let project = built();
    let csv = project
        .ok(&["export", "tagged", "copies", "--format", "csv"])
        .stdout;
    let script = "import csv, json, sys; print(json.dumps(list(csv.reader(sys.stdin))))";
    let mut python = Command::new("python3")
        .args(["-c", script])
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut stdin = python.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, csv.as_bytes()).expect("a written pipe");
    drop(stdin);
    let output = python.wait_with_output().expect("an ended process");
    let rows: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).expect("rows");
    assert_eq!(
        rows[0],
        [
            "layer",
            "label",
            "kind",
            "content",
            "metadata",
            "count",
            "data.label",
            "mood",
            "tags"
        ]
    );
    assert_eq!(
        rows[1],
        [
            "tagged",
            "a",
            "text",
            "",
            "{}",
            "",
            "x",
            "dry, \"very\"",
            r#"["a","b"]"#
        ]
    );
    assert_eq!(rows[2][5], "12345678901234567890");
    assert_eq!(rows[3][3], "Ann, \"the painter\"\nlives here.");
    assert_eq!(rows[4][3], "=1+1\u{e9}\u{1f600}");
    assert_eq!(rows.len(), 5);
}

#[test]
fn a_file_is_written_as_a_whole_or_not_at_all() {
    let project = built();
    let arguments = ["export", "copies", "-o", "out.jsonl"];
    let found = project.json(&arguments);
    assert_eq!(found["artifacts"], 2);
    let written = fs::read_to_string(project.path("out.jsonl")).expect("a file");
    assert_eq!(written, project.ok(&["export", "copies", "-o", "-"]).stdout);
    let unknown = project
        .run(&["export", "copis", "-o", "out.jsonl"])
        .expect_code(2);
    assert!(unknown.says("did you mean `copies`?"), "{unknown:?}");
    assert_eq!(
        fs::read_to_string(project.path("out.jsonl")).expect("a file"),
        written
    );
    let folder = project
        .run(&["export", "copies", "-o", "missing/out.jsonl"])
        .expect_code(1);
    assert!(folder.says("cannot write"), "{folder:?}");
}

/// The hint of a full disk would send the user to the wrong place.
#[cfg(target_os = "linux")]
#[test]
fn a_full_stdout_is_named_as_what_failed() {
    let project = built();
    for format in ["jsonl", "csv"] {
        let full = fs::File::options().write(true).open("/dev/full");
        let mut command = project
            .command(&["export", "copies", "--format", format])
            .process();
        command.stdout(full.expect("the full device"));
        let output = command.output().expect("an ended process");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("error: cannot write to stdout"), "{stderr}");
    }
}

#[test]
fn another_snapshot_can_be_exported_and_a_format_must_exist() {
    let project = built();
    project.write("notes/b.md", "Bob.");
    project.ok(&["build"]);
    let rows = |more: &[&str]| {
        let arguments = [&["export", "notes"], more].concat();
        lines(&project.ok(&arguments).stdout)
    };
    assert_eq!(rows(&[])[1]["content"], "Bob.");
    assert_eq!(
        rows(&["--snapshot", "@-1"])[1]["content"],
        "=1+1\u{e9}\u{1f600}"
    );
    let unknown = project
        .run(&["export", "notes", "--format", "xlsx"])
        .expect_code(2);
    assert!(unknown.says("xlsx"), "{unknown:?}");
}
