//! `try`: a trial, its outputs beside the newest ones, and what the whole would cost.

use crate::support::test_project::text;
use crate::support::transcript::assert_transcript;
use crate::trials::{exact_requests, facts_project};

#[test]
fn a_trial_shows_its_outputs_and_the_cost_of_the_whole() {
    let project = facts_project(4);
    project.ok(&["build", "--select", "facts/00[12]", "--trial", "before"]);
    let run = project.ok(&["try", "--select", "facts", "--limit", "2"]);
    assert_transcript!(run);
}

#[test]
fn outputs_are_beside_those_of_the_newest_snapshot() {
    let project = facts_project(30);
    project.ok(&["build"]);
    let sent = project.sent();
    let set = "layers.facts.config.prompt=Name the topic of {{ content }}";
    let tried = project.json(&["try", "--set", set, "--budget", "5"]);
    assert_eq!(tried["trial"], "trial-1");
    // 20 notes are the default, and the summary follows from them.
    assert_eq!(project.sent(), sent + 21);
    assert_eq!(tried["plan"]["layers"][1]["requests"], 20);
    let outputs = tried["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), 21);
    for output in outputs {
        assert!(output["main"]["content"].is_string(), "{output}");
        assert!(output["diff"].is_string(), "{output}");
        assert_ne!(
            text(&output["trial"]["content"]),
            text(&output["main"]["content"])
        );
    }
    // The whole asks for the rest.
    assert_eq!(tried["whole"]["layers"][1]["requests"], 10);
    let whole = project.json(&["plan", "--set", set]);
    assert_eq!(whole["layers"][1]["requests"], 10);
    assert_eq!(tried["build"]["status"], "completed");
}

#[test]
fn a_trial_keeps_to_the_budget() {
    let project = facts_project(30);
    let run = project.run(&["try", "--budget", "0.000001"]);
    assert_eq!(run.code, 5, "{run:?}");
    assert_eq!(project.sent(), 0);
}

#[test]
fn a_trial_through_batches_makes_the_same() {
    let project = facts_project(5);
    project.ok(&[
        "try", "--select", "facts", "--limit", "3", "--trial", "sync",
    ]);
    let sent = project.sent();
    let set = "layers.facts.batch=true";
    let tried = project.json(&[
        "try", "--select", "facts", "--limit", "3", "--batch", "--set", set,
    ]);
    assert_eq!(project.sent(), sent, "the answers are shared");
    assert_eq!(tried["outputs"].as_array().unwrap().len(), 3);
    let plan = project.json(&["plan", "--select", "facts", "--limit", "3"]);
    assert_eq!(exact_requests(&plan), 0);
}
