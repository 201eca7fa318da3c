//! Answers that do not match their `response_format`: what they cost, what is asked again, and what a build makes of it.

mod bounds;
mod crashes;
mod rounds;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use synix_scripted_provider::{Rule, Script};

use crate::support::costs::{billed, picodollars};
use crate::support::pipelines::{BATCH_BUILD, MODES, Mode, RESUME, notes_pipeline};
use crate::support::test_project::{TestProject, failure_kinds, text};

const TAGS: &str = notes_pipeline!(
    r#"[layers.tagged]
transform = "map"
inputs = ["notes"]
batch = true
[layers.tagged.config]
prompt = "Tag this: {{ content }}"
fields = ["tags"]
[layers.tagged.config.response_format]
type = "object"
required = ["tags"]
properties.tags = { type = "array", items = { type = "string" } }
"#
);

/// What every repair says first.
const REPAIR: &str = "Your answer does not match the required JSON Schema:";

fn notes(layers: &str) -> TestProject {
    let project = TestProject::with_layers(layers);
    for name in ["ann", "bob"] {
        project.write(&format!("notes/{name}.md"), &format!("Note of {name}."));
    }
    project
}

/// The answers to the note of Ann and to each repair. That to Bob's note fits.
fn answers(ann: &str, repairs: &str) -> Script {
    Script::new()
        .rule(Rule::on("Note of ann").text(ann))
        .rule(Rule::on("Note of bob").text(r#"{"tags": ["garden"]}"#))
        .rule(Rule::on(REPAIR).text(repairs))
}

fn with_repair(number: u32) -> String {
    TAGS.replace("batch = true", &format!("batch = true\nrepair = {number}"))
}

/// Returns how many requests a plan would send.
fn planned(project: &TestProject) -> u64 {
    let plan = project.json(&["plan"]);
    assert_eq!(plan["total"]["exact"], true, "{plan}");
    plan["total"]["requests"].as_u64().unwrap()
}

fn failure_of(document: &Value) -> String {
    text(&document["failures"][0]["message"])
}

/// One request more, in the same build, whichever mode it is; what is shown names both.
#[test]
fn a_wrong_answer_is_repaired_in_the_same_build_in_every_mode() {
    let artifacts = MODES.map(|mode: Mode| {
        let project = notes(TAGS);
        project.script(answers(
            r#"{"tags": "rain"}"#,
            "Sorry!\n```json\n{\"tags\": [\"rain\"]}\n```",
        ));
        assert_eq!(planned(&project), 2);
        project.build_in(mode).expect_code(0);
        assert_eq!(project.sent(), 3, "{mode:?}");
        assert_eq!(project.ledger().duplicates().len(), 0);
        assert_eq!(project.content("tagged/ann"), r#"{"tags": ["rain"]}"#);
        let shown = project.json(&["show", "tagged/ann"]);
        assert_eq!(shown["metadata"], json!({"tags": ["rain"]}));
        let requests = shown["provenance"]["requests"].as_array().unwrap();
        assert_eq!(requests.len(), 2);
        let of_bob = project.json(&["show", "tagged/bob"]);
        let cost = |shown: &Value| picodollars(&shown["provenance"]["cost_usd"]);
        if mode == Mode::Replay {
            assert_eq!(cost(&shown), 0);
        } else {
            assert_eq!(cost(&shown) + cost(&of_bob), billed(&project.ledger()));
            let status = project.json(&["batch-build", "status", "build-1"]);
            assert_eq!(picodollars(&status["cost_usd"]), billed(&project.ledger()));
        }
        let lineage = project.json(&["lineage", "tagged/ann"]);
        let nodes = lineage["nodes"].as_array().unwrap().iter();
        assert_eq!(nodes.filter(|node| node["type"] == "request").count(), 2);
        // Everything is known now.
        if mode != Mode::Replay {
            project.ok(&["clean"]);
            project.ok(&["build"]);
            assert_eq!(project.sent(), 3, "{mode:?}");
        }
        project.artifacts()
    });
    assert_eq!(artifacts[0], artifacts[1]);
    assert_eq!(artifacts[1], artifacts[2]);
}

/// What an answer has around its JSON costs nothing.
#[test]
fn fences_and_words_around_json_are_not_paid_for_again() {
    for answer in [
        "```json\n{\"tags\": [\"a\"]}\n```",
        "Here you are: {\"tags\": [\"a\"]}\r\nAnything else?",
        "\u{feff}{\"tags\": [\"a\"]}\n",
        "<think>{\"tags\": 1}?</think>{\"tags\": [\"a\"]}",
    ] {
        let project = notes(TAGS);
        project.script(answers(answer, "never asked"));
        project.ok(&["build"]);
        assert_eq!(project.content("tagged/ann"), r#"{"tags": ["a"]}"#);
        assert_eq!(project.sent(), 2, "{answer}");
    }
}

/// DESIGN 1: paid for and useless, so it stays failed, with the place of the error in the answer.
#[test]
fn an_answer_that_never_fits_fails_its_unit_and_is_not_paid_for_again() {
    for mode in [Mode::Sync, Mode::Batch] {
        let project = notes(TAGS);
        let script = || answers("I cannot.", r#"{"tags": ["a", 3]}"#);
        project.script(script());
        let run = project.build_in(mode).expect_code(3);
        assert!(
            run.says("(schema)") && run.says("--retry-failed"),
            "{run:?}"
        );
        assert_eq!(project.sent(), 3);
        for _ in 0..2 {
            assert_eq!(planned(&project), 0);
            let built = project.run(&["build", "--json"]).expect_code(3).json();
            assert_eq!(
                TestProject::failures(&built),
                failure_kinds(&[("ann", "schema")])
            );
            assert_eq!(
                failure_of(&built),
                "the answer does not match its `response_format`, also after a repair: \
                 at /tags/1: expected string, found number 3"
            );
        }
        assert_eq!(project.sent(), 3, "{mode:?}");
        // A retry is one more repair, and each command sends one.
        for sent in [4, 5] {
            let layer = &project.json(&["plan"])["layers"][1];
            assert_eq!(layer["retry_failed"]["requests"], 1);
            assert_eq!(layer["retry_failed"]["kinds"], json!({"schema": 1}));
            assert!(picodollars(&layer["retry_failed"]["cost_usd"]) > 0);
            project
                .run(&["build", "--retry-failed=empty"])
                .expect_code(3);
            project
                .run(&["build", "--retry-failed=schema"])
                .expect_code(3);
            assert_eq!(project.sent(), sent, "{mode:?}");
        }
        project.script(answers("never asked", r#"{"tags": ["a"]}"#));
        project.ok(&[&BATCH_BUILD[..], &["--retry-failed"]].concat());
        assert_eq!(
            (project.sent(), project.ledger().duplicates().len()),
            (6, 0)
        );
        assert_eq!(project.content("tagged/ann"), r#"{"tags": ["a"]}"#);
    }
}

/// A higher number continues where the lower one ended, and a lower one loses nothing.
#[test]
fn a_changed_number_of_repairs_pays_for_no_answer_twice() {
    let project = notes(&with_repair(0));
    project.script(answers("no", "still no"));
    let built = project.run(&["build", "--json"]).expect_code(3).json();
    assert_eq!(
        failure_of(&built),
        "the answer does not match its `response_format`: \
         at the top level: expected JSON, found a text without JSON"
    );
    assert_eq!(project.sent(), 2);
    for (repair, sent) in [(1, 3), (3, 5)] {
        project.pipeline("synix.toml", &with_repair(repair));
        assert_eq!(planned(&project), 1, "a plan knows the next one");
        project.run(&["build"]).expect_code(3);
        assert_eq!(project.sent(), sent);
    }
    project.script(answers("never asked", r#"{"tags": []}"#));
    project.pipeline("synix.toml", &with_repair(5));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 6);
    project.pipeline("synix.toml", &with_repair(0));
    assert_eq!(project.json(&["plan"])["total"]["stale"], 0);
    project.ok(&["clean"]);
    project.ok(&["build"]);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (6, 0)
    );
    for wrong in ["repair = 6", "repair = -1", "repair = true"] {
        project.pipeline("synix.toml", &TAGS.replace("batch = true", wrong));
        project.run(&["plan"]).expect_code(2);
    }
}

/// A repair that a batch has in flight is waited for, although the command that retried it has ended.
#[test]
fn a_retried_repair_in_a_batch_is_taken_by_a_later_command() {
    let project = notes(&with_repair(0));
    project.script(answers("no", r#"{"tags": ["rain"]}"#));
    project.run(&BATCH_BUILD).expect_code(3);
    project.ok(&["batch-build", "run", "--retry-failed=schema"]);
    project.ok(&RESUME);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (3, 0)
    );
    assert_eq!(project.content("tagged/ann"), r#"{"tags": ["rain"]}"#);
}
