//! Answers that do not match their `response_format`: what they cost, what is asked again, and what a build makes of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use synix_scripted_provider::{Rule, Script};

use crate::support::costs::{billed, picodollars};
use crate::support::crashes::{assert_only_unclear_calls_paid_twice, kill_at};
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

/// DESIGN 1: wherever a build is killed, also between an answer and its repair.
#[test]
fn a_build_that_repairs_survives_a_kill_at_every_point() {
    for (command, resume) in [(&["build"][..], &["build"][..]), (&BATCH_BUILD, &RESUME)] {
        let mut crash_at = 1;
        loop {
            let project = notes(TAGS);
            project.script(answers("no", r#"{"tags": ["rain"]}"#));
            if !kill_at(&project, command, crash_at) {
                break;
            }
            project.run(resume);
            let context = format!("{command:?} killed at point {crash_at}");
            let repeated = project.run(command);
            assert_eq!(repeated.code, 0, "{context}: {repeated:?}");
            assert_eq!(project.content("tagged/ann"), r#"{"tags": ["rain"]}"#);
            assert_only_unclear_calls_paid_twice(&project, &context);
            crash_at += 1;
        }
        assert!(crash_at > 15, "only {crash_at} points");
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

/// Nothing is sent for a request whose answer nobody could check.
#[test]
fn an_unusable_schema_fails_before_anything_is_paid() {
    for (schema, message) in [
        (r#"type = "thing""#, "it is not a JSON Schema"),
        (
            r#"properties.a = { "$ref" = "http://127.0.0.1:9/x.json" }"#,
            "it is not a JSON Schema",
        ),
        (r##""$ref" = "#""##, "it refers to itself"),
    ] {
        let layers = TAGS.replace("fields = [\"tags\"]\n", "");
        let (head, _) = layers.split_once("type = \"object\"").unwrap();
        let project = notes(&format!("{head}{schema}\n"));
        let plan = project.json(&["plan"]);
        let planned = plan["layers"][1]["failures"].to_string();
        assert!(
            planned.contains("`response_format` cannot be used"),
            "{planned}"
        );
        let built = project.run(&["build", "--json"]).expect_code(3).json();
        let kinds = failure_kinds(&[("ann", "invalid"), ("bob", "invalid")]);
        assert_eq!(TestProject::failures(&built), kinds);
        assert!(failure_of(&built).contains(message), "{built}");
        assert_eq!(project.sent(), 0);
    }
}

#[test]
fn limits_of_a_unit_and_of_a_layer_count_repairs() {
    for (limits, message) in [
        ("limits.requests = 1", "`limits.requests` (1)"),
        ("limits.tokens = 40", "`limits.tokens` (40)"),
    ] {
        let layers = TAGS.replace(
            "[layers.tagged.config]",
            &format!("{limits}\n[layers.tagged.config]"),
        );
        let layers = layers.replace(
            "fields = [\"tags\"]",
            "fields = [\"tags\"]\nmax_tokens = 30",
        );
        let project = notes(&layers);
        project.script(answers(
            "I would rather not say anything about it.",
            r#"{"tags": []}"#,
        ));
        let built = project.run(&["build", "--json"]).expect_code(3).json();
        assert_eq!(
            TestProject::failures(&built),
            failure_kinds(&[("ann", "schema")])
        );
        assert!(failure_of(&built).contains(message), "{built}");
        assert_eq!(project.sent(), 2);
    }
    let limited = |requests: u32| {
        TAGS.replace(
            "batch = true",
            &format!("batch = true\nmax_requests = {requests}"),
        )
    };
    let project = notes(&limited(2));
    project.script(answers("no", "no"));
    project.run(&["build"]).expect_code(5);
    project.pipeline("synix.toml", &limited(3));
    // A repair that is not asked does not count.
    project.run(&["build"]).expect_code(3);
    assert_eq!(project.sent(), 3);
}

/// The bound of a plan holds, and a budget stops before a repair that it does not allow.
#[test]
fn a_repair_is_planned_priced_and_within_the_budget() {
    let project = notes(TAGS);
    let words = "word ".repeat(290);
    let long = format!("{{\"tags\": [\"{words}\"]}}");
    let script = Script::new().rule(Rule::on("Note of ann").text(words.clone()));
    let script = script.rule(Rule::on("Note of bob").text(long));
    project.script(script.rule(Rule::on(REPAIR).text(r#"{"tags": []}"#)));
    let layer = &project.json(&["plan"])["layers"][1];
    assert_eq!(
        (&layer["requests"], &layer["requests_max"]),
        (&2.into(), &2.into())
    );
    assert_eq!(layer["repairs"]["requests"], 2);
    let first = picodollars(&layer["cost_usd_max"]);
    let repairs = picodollars(&layer["repairs"]["cost_usd"]);
    let run = project.ok(&["plan"]);
    assert!(run.says("tagged: at most 2 more requests"), "{run:?}");
    // It is enough for both questions, which use nearly all of it.
    let budget = format!(
        "{:.12}",
        f64::from(u32::try_from(first / 1000).unwrap() + 1) / 1e9
    );
    let run = project.run(&["build", "--budget", &budget]).expect_code(5);
    assert!(run.says("the budget of"), "{run:?}");
    assert_eq!(project.sent(), 2);
    project.ok(&["build", "--budget", "1"]);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (3, 0)
    );
    assert!(billed(&project.ledger()) <= first + repairs);
    // Nothing can follow an answer that fits, and a layer without a schema has no repairs.
    assert_eq!(
        project.json(&["plan"])["layers"][1]["repairs"]["requests"],
        0
    );
}

const STORY: &str = notes_pipeline!(
    r#"[layers.story]
transform = "fold"
inputs = ["notes"]
[layers.story.config]
prompt = "Step {{ label }} after {{ so_far }}."
label = "story"
[layers.story.config.response_format]
type = "array"
items = { type = "string" }
"#
);

/// A unit of many rounds waits in memory for its answers, and its transcript is compared when it does not.
#[test]
fn each_step_of_a_fold_can_be_repaired() {
    let contents: BTreeSet<String> = MODES
        .map(|mode| {
            let project = TestProject::with_layers(STORY);
            for number in 0..8 {
                project.write(&format!("notes/n{number}.md"), "x");
            }
            let mut script = Script::new();
            for number in 0..8 {
                let answer = if number % 3 == 1 {
                    format!("{{\"wrong\": \"n{number}\"}}")
                } else {
                    format!("[\"n{number}\"]")
                };
                script = script.rule(Rule::on(format!("Step n{number} ")).text(answer));
            }
            project.script(script.rule(Rule::on(REPAIR).text("[\"repaired\"]")));
            project.build_in(mode).expect_code(0);
            // Steps 1, 4 and 7 take two requests.
            assert_eq!(
                (project.sent(), project.ledger().duplicates().len()),
                (11, 0)
            );
            let shown = project.json(&["show", "story"]);
            assert_eq!(
                shown["provenance"]["requests"].as_array().unwrap().len(),
                11
            );
            text(&shown["content"])
        })
        .into();
    assert_eq!(contents, BTreeSet::from(["[\"repaired\"]".to_owned()]));
}

const PARTS: &str = notes_pipeline!(
    r#"[layers.all]
transform = "reduce"
inputs = ["notes"]
batch = true
repair = 2
[layers.all.config]
prompt = "Facts:{% for one in inputs %} {{ one.content }}{% endfor %}"
label = "all"
max_input_tokens = 256
[layers.all.config.response_format]
type = "array"
items = { type = "string" }
"#
);

/// Several questions of one round are repaired side by side, some of them twice, and a command may end in between.
#[test]
fn the_questions_of_a_round_are_repaired_together() {
    let project = TestProject::with_layers(PARTS);
    for number in 0..6 {
        let words = format!("word{number} ").repeat(110);
        project.write(&format!("notes/n{number}.md"), &words);
    }
    let script = Script::new()
        .rule(Rule::on("word1 ").text("first"))
        .rule(Rule::on("word4 ").text("{\"second\": 1}"))
        .rule(Rule::on("found object").text("again"))
        .rule(Rule::on(REPAIR).text("[\"repaired\"]"));
    project.script(script);
    project.ok(&["batch-build", "run"]);
    for _ in 0..40 {
        if project.status()["status"] == "completed" {
            break;
        }
        project.ok(&["resume"]);
    }
    assert_eq!(project.status()["status"], "completed");
    assert_eq!(project.ledger().duplicates().len(), 0);
    let batched = (project.sent(), project.artifacts());
    std::fs::remove_dir_all(project.path(".synix")).unwrap();
    let sent = project.sent();
    project.ok(&["build"]);
    assert_eq!((project.sent() - sent, project.artifacts()), batched);
    let requests = project.json(&["show", "all"])["provenance"]["requests"].clone();
    assert_eq!(requests.as_array().unwrap().len(), batched.0);
}
