//! `try`: a trial, its outputs beside the newest ones, and what the whole would cost.

use synix_scripted_provider::{Rule, Script};

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

/// In a wide terminal, the outputs are in two columns, and hostile text stays in its column.
#[test]
fn outputs_are_side_by_side_in_a_wide_terminal() {
    let project = facts_project(3);
    let answers = |first: &str, second: &str| {
        let rules = [("Facts of 001", first), ("Facts of 002", second)];
        let rules = rules.map(|(contains, text)| Rule::on(contains).text(text));
        let script = rules.into_iter().fold(Script::new(), Script::rule);
        project.script(script.rule(Rule::on("Facts of 003").text("Always the same.")));
    };
    answers(
        "The kettle is red and holds two litres.\nIt was made in 1971 by a factory at the harbour, whose owner kept every drawing.\nIt leaks.",
        "日本語の文書は二列を使う。\nNobody knows.",
    );
    project.ok(&["build"]);
    answers(
        "The kettle is blue and holds two litres.\nIt was made in 1971 by a factory at the harbour, whose owner kept every drawing.\nIt leaks.\nIt was mended \u{1b}[2Jonce.",
        "日本語の短い文書。\n\u{202e}Nobody\tknows.",
    );
    let again = [
        "try",
        "--select",
        "facts",
        "--set",
        "layers.facts.revision=r2",
    ];
    let command = project.command(&[&again[..], &["--trial", "wide"]].concat());
    let wide = command.run_in_terminal(110).expect_code(0);
    assert_transcript!(wide);
    let narrow = command.run_in_terminal(99).expect_code(0);
    assert_transcript!(narrow);
    for line in wide.stdout.lines().filter(|line| line.contains(" | ")) {
        assert!(line.chars().count() <= 110, "{line}");
    }
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
