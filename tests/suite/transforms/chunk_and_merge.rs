//! `chunk` and `merge`: which chunks send requests, and the sizes that the transforms must handle.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::pipelines::{MODES, Mode, notes_pipeline};
use crate::support::random::random_text;
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

const NOTES: &str = notes_pipeline!(
    r#"[layers.pieces]
transform = "chunk"
inputs = ["notes"]
[layers.pieces.config]
by = "headings"
size = 200
[layers.distinct]
transform = "merge"
inputs = ["pieces"]
[layers.claims]
transform = "map"
inputs = ["distinct"]
batch = true
[layers.claims.config]
prompt = "What does this say of {{ metadata.topic }}? {{ content }}"
"#
);

fn notes() -> TestProject {
    let project = TestProject::with_layers(NOTES);
    let rain = "Rain fell on the garden for most of the day, and the barrel is full.";
    project.write(
        "notes/a.md",
        &format!(
            "---\ntopic: water\n---\n# Week\n\n## Monday\n{rain}\n## Tuesday\nNothing grew.\n"
        ),
    );
    project.write(
        "notes/b.md",
        &format!("---\ntopic: water\n---\n## Monday\n{rain}..\n"),
    );
    project
}

#[test]
fn a_text_in_two_notes_is_sent_once() {
    let project = notes();
    project.ok(&["build"]);
    assert_eq!(project.sent(), 2);
    let claims: Vec<String> = project
        .artifact_names()
        .into_iter()
        .filter(|name| name.starts_with("claims/"))
        .collect();
    assert_eq!(claims, ["claims/a-001", "claims/a-002"]);
    let merged = project.json(&["show", "distinct/a-001"]);
    assert_eq!(
        merged["metadata"]["merged"],
        Value::from(vec!["a-001", "b-001"])
    );
    assert_eq!(
        merged["metadata"]["headings"],
        Value::from(vec!["Week", "Monday"])
    );
}

/// M3: only an added section sends a request.
#[test]
fn unchanged_chunks_send_nothing() {
    let project = notes();
    project.ok(&["build"]);
    let path = project.path("notes/a.md");
    let longer = fs::read_to_string(path).unwrap() + "## Wednesday\nBeans came up.\n";
    project.write("notes/a.md", &longer);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
}

/// C1: the artifacts of downstream layers are the same too.
#[test]
fn chunks_are_the_same_in_every_mode() {
    let printed = MODES.map(|mode: Mode| {
        let project = notes();
        project.build_in(mode).expect_code(0);
        project.artifacts()
    });
    assert_eq!(printed[0], printed[1]);
    assert_eq!(printed[1], printed[2]);
}

const DIARY: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 300
[layers.days]
source = "days/*.md"
[layers.summaries]
transform = "map"
inputs = ["days"]
batch = true
[layers.summaries.config]
prompt = "Sum up: {{ content }}"
[layers.months]
transform = "group"
inputs = ["summaries"]
[layers.months.config]
by_template = "{{ metadata.author }}-{{ metadata.date[:7] }}"
[layers.authors]
transform = "group"
inputs = ["months"]
[layers.authors.config]
by = "author"
prompt = "What did {{ group }} do?{% for one in inputs %} {{ one.content }}{% endfor %}"
"#;

/// C1: in every mode, an answer keeps the metadata of its source.
#[test]
fn answers_are_grouped_by_the_metadata_of_their_inputs() {
    let printed = MODES.map(|mode: Mode| {
        let project = TestProject::with_layers(DIARY);
        for (day, author) in [("01-30", "ann"), ("02-01", "ann"), ("02-02", "bob")] {
            project.write(
                &format!("days/{day}-{author}.md"),
                &format!(
                    "---\ndate: \"2026-{day}\"\nauthor: {author}\n---\nOn {day} {author} rested.\n"
                ),
            );
        }
        project.build_in(mode).expect_code(0);
        let names = project.artifact_names();
        let of = |layer: &str| -> Vec<String> {
            let names = names.iter().filter_map(|name| name.strip_prefix(layer));
            names.map(str::to_owned).collect()
        };
        assert_eq!(of("months/"), ["ann-2026-01", "ann-2026-02", "bob-2026-02"]);
        assert_eq!(of("authors/"), ["ann", "bob"]);
        project.artifacts()
    });
    assert_eq!(printed[0], printed[1]);
    assert_eq!(printed[1], printed[2]);
}

#[test]
fn an_invalid_config_is_reported_with_its_key_and_a_fix() {
    let project = notes();
    project.pipeline(
        "synix.toml",
        &NOTES.replace("size = 200", "size = 200\noverlap = 200"),
    );
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    project.pipeline("synix.toml", &NOTES.replace("size = 200", "sise = 200"));
    let run = project.run(&["build"]);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}

#[test]
fn ten_megabytes_are_chunked_within_the_default_limits() {
    let project = TestProject::with_layers(
        "[layers.notes]\nsource = \"*.txt\"\n[layers.pieces]\ntransform = \"chunk\"\ninputs = [\"notes\"]\n",
    );
    let mut text = String::new();
    for seed in 0..25_000 {
        let _ = write!(text, "{}, sagt Käthe.\r\n\r\n", random_text(seed, 400));
    }
    assert!(text.len() > 10_000_000);
    project.write("big.txt", &text);
    project.ok(&["build"]);
    let names = project.artifact_names();
    let last = names
        .iter()
        .rfind(|name| name.starts_with("pieces/"))
        .unwrap();
    let last = project.json(&["show", last]);
    assert_eq!(last["metadata"]["end"], Value::from(text.chars().count()));
    assert_eq!(last["metadata"]["count"], Value::from(names.len() - 1));
}

#[test]
fn ten_thousand_short_texts_are_merged_within_the_default_limits() {
    let project = TestProject::with_layers(
        r#"
[layers.notes]
source = "*.txt"
[layers.pieces]
transform = "chunk"
inputs = ["notes"]
[layers.pieces.config]
size = 200
separator = "\n"
[layers.distinct]
transform = "merge"
inputs = ["pieces"]
"#,
    );
    // Every tenth line is the line before it with another end. Each has the size of a chunk.
    let mut text = String::new();
    for line in 0..10_000 {
        let (seed, end) = if line % 10 == 9 {
            (line - 1, "again")
        } else {
            (line, "first")
        };
        let _ = writeln!(text, "{}{end}", random_text(seed, 194));
    }
    project.write("all.txt", &text);
    project.ok(&["build"]);
    let names = project.artifact_names();
    let of = |layer: &str| names.iter().filter(|name| name.starts_with(layer)).count();
    assert_eq!((of("pieces/"), of("distinct/")), (10_000, 9_000));
    let pair = project.json(&["show", "distinct/all-00009"]);
    assert_eq!(
        pair["metadata"]["merged"],
        Value::from(vec!["all-00009", "all-00010"])
    );
}
