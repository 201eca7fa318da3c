//! `snapshots` and `diff`: what differs between two snapshots, and why.

use serde_json::{Value, json};

use crate::support::pipelines::notes_pipeline;
use crate::support::test_project::{TestProject, text};

const LAYERS: &str = notes_pipeline!(
    r#"[layers.summaries]
transform = "map"
inputs = ["notes"]
config.prompt = "Sum up: {{ content }}"

[layers.joined]
transform = "group"
inputs = ["notes"]
config = { by_template = "all", separator = "\n" }
"#
);

/// Three notes, built once.
fn built() -> TestProject {
    let project = TestProject::with_layers(LAYERS);
    for (name, content) in [
        ("a", "Ann paints houses."),
        ("b", "Bob bakes bread."),
        ("c", "Cleo sings."),
    ] {
        project.write(&format!("notes/{name}.md"), content);
    }
    project.ok(&["build"]);
    project
}

/// Returns `layer/label` and the reasons of each change in a list of the document.
fn changes(document: &Value, list: &str) -> Vec<(String, Vec<String>)> {
    let all = document[list].as_array().expect("a list");
    let reasons = |one: &Value| {
        let why = one["why"].as_array().expect("reasons");
        why.iter().map(|reason| text(&reason["reason"])).collect()
    };
    all.iter()
        .map(|one| {
            let name = format!("{}/{}", text(&one["layer"]), text(&one["label"]));
            (name, reasons(one))
        })
        .collect()
}

fn of(name: &str, reasons: &[&str]) -> (String, Vec<String>) {
    let reasons = reasons.iter().map(|&reason| reason.to_owned());
    (name.to_owned(), reasons.collect())
}

#[test]
fn each_change_says_what_it_is_and_why() {
    let project = built();
    project.write("notes/a.md", "Ann paints ships.");
    project.remove("notes/b.md");
    project.write("notes/d.md", "Dan digs.");
    project.ok(&["build"]);
    let found = project.json(&["diff"]);
    assert_eq!(
        changes(&found, "added"),
        [of("notes/d", &["new"]), of("summaries/d", &["new"])]
    );
    assert_eq!(
        changes(&found, "removed"),
        [of("notes/b", &["removed"]), of("summaries/b", &["removed"])]
    );
    assert_eq!(
        changes(&found, "changed"),
        [
            of("notes/a", &["source"]),
            of("summaries/a", &["input"]),
            of("joined/all", &["input", "input_added", "input_removed"]),
        ]
    );
    let joined = text(&found["changed"][2]["diff"]);
    assert!(
        joined.starts_with("@@ -1,3 +1,3 @@\n-Ann paints houses.\n-Bob bakes bread.\n"),
        "{joined}"
    );
    assert!(
        joined.ends_with("+Dan digs.\n\\ No newline at end of file\n"),
        "{joined}"
    );
    let shown = project.ok(&["diff", "--layer", "notes"]);
    assert!(
        shown.stdout.contains("changed notes/a: source file of a changed\n  -Ann paints [-houses-].\n  +Ann paints {+ships+}.\n"),
        "{shown:?}"
    );
    assert!(!shown.stdout.contains("summaries/"), "{shown:?}");
}

#[test]
fn a_changed_prompt_and_a_changed_model_are_reasons() {
    let project = built();
    project.pipeline(
        "synix.toml",
        &LAYERS
            .replace("Sum up", "Tell")
            .replace("max_tokens = 300", "max_tokens = 301"),
    );
    project.ok(&["build"]);
    let found = project.json(&["diff", "--layer", "summaries"]);
    let expected =
        ["a", "b", "c"].map(|label| of(&format!("summaries/{label}"), &["config", "model"]));
    assert_eq!(changes(&found, "changed"), expected);
    let change = &found["changed"][0]["why"][0]["changes"][0];
    assert_eq!(change["key"], "prompt", "{found:#}");
}

#[test]
fn counts_alone_are_shown_on_request() {
    let project = built();
    project.write("notes/a.md", "Ann paints ships.");
    project.ok(&["build"]);
    let found = project.json(&["diff", "--stat"]);
    let count = |name: &str| json!({"name": name, "added": 0, "removed": 0, "changed": 1});
    assert_eq!(
        found["layers"],
        json!([count("notes"), count("summaries"), count("joined")])
    );
    assert_eq!(found["changed"], json!([]));
    assert_eq!(found["before"]["build"], "build-1");
    assert_eq!(found["after"]["build"], "build-2");
}

#[test]
fn snapshots_are_listed_and_named_in_every_way() {
    let project = built();
    project.write("notes/a.md", "Ann paints ships.");
    project.ok(&["build"]);
    let listed = project.json(&["snapshots"]);
    let all = listed["snapshots"].as_array().expect("snapshots");
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["id"], "snapshot-2");
    assert_eq!(all[1]["artifacts"], 7);
    assert_eq!(all[1]["name"], Value::Null);
    for first in ["snapshot-1", "build-1", "@-1"] {
        let shown = project.ok(&["show", "notes/a", "--snapshot", first]);
        assert_eq!(shown.stdout, "Ann paints houses.\n");
        let found = project.json(&["diff", first, "snapshot-2", "--stat"]);
        assert_eq!(found["before"]["id"], "snapshot-1");
    }
    let same = project.ok(&["diff", "@", "@"]);
    assert!(same.stdout.contains("nothing differs"), "{same:?}");
    let unknown = project.run(&["diff", "snapshot-9"]).expect_code(2);
    assert!(
        unknown.says("there is no snapshot \"snapshot-9\""),
        "{unknown:?}"
    );
}

#[test]
fn a_project_with_one_snapshot_has_nothing_to_compare() {
    let project = built();
    let run = project.run(&["diff"]).expect_code(2);
    assert!(run.says("there is no snapshot \"@-1\""), "{run:?}");
}
