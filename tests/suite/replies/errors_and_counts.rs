//! Errors with a good status, and answers without token counts.

use serde_json::{Value, json};
use synix_scripted_provider::{RawReply, Reply, Rule, Script, StatusReply};

use crate::replies::{TWO_LAYERS, project_with_notes};
use crate::support::costs::{billed, picodollars};
use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::{TestProject, text};

/// X8: in both modes.
#[test]
fn transient_errors_with_status_200_are_retried() {
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = project_with_notes(&["amara", "bela"]);
        let slow = json!({"error": {"code": 429, "message": "slow down"}});
        let slow = Reply::Status(StatusReply::new(200).body(slow));
        project.script(Script::new().rule(Rule::on("Say: I am bela").times(1).reply(slow)));
        project.ok(command);
        assert_eq!(project.sent(), 4, "{command:?}");
    }
}

/// X8: the cost contains such an answer, and the failure has the provider's message.
#[test]
fn an_answer_that_ends_in_an_error_is_retried_and_billed() {
    let answer_with_error = || {
        RawReply::with("/choices/0/finish_reason", json!("error")).set(
            "/choices/0/error",
            json!({"code": 502, "message": "upstream went away"}),
        )
    };
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = project_with_notes(&["bela"]);
        let rule = Rule::on("Say:").times(1).raw(answer_with_error().lost());
        project.script(Script::new().rule(rule));
        let document = project.run(&[command, &["--json"]].concat()).expect_code(0);
        assert_eq!(project.sent(), 3, "{command:?}");
        let cost = picodollars(&document.json()["cost_usd"]);
        assert_eq!(cost, billed(&project.ledger()), "{command:?}");
    }
    let project = project_with_notes(&["bela"]);
    project.script(Script::new().rule(Rule::on("Say:").raw(answer_with_error().lost())));
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("upstream went away"), "{run:?}");
}

/// X2: an unknown cost is not zero.
#[test]
fn an_answer_without_counts_has_no_known_cost() {
    for command in [&["build"][..], &BATCH_BUILD] {
        for usage in [
            json!(null),
            json!("10"),
            json!({}),
            json!({"prompt_tokens": null}),
        ] {
            let project = project_with_notes(&["bela"]);
            let rule = Rule::on("Say:").raw(RawReply::with("/usage", usage.clone()));
            project.script(Script::new().rule(rule));
            let document = project.run(&[command, &["--json"]].concat()).json();
            assert_eq!(document["cost_usd"], Value::Null, "{command:?}: {usage}");
            assert_eq!(document["tokens"]["input"], Value::Null);
            assert_eq!(document["layers"][1]["tokens"]["output"], Value::Null);
            let unpriced = text(&document["unpriced"][0]);
            assert!(
                unpriced.contains("did not report how many tokens"),
                "{unpriced}"
            );
            // The cost of the other layer is known.
            assert!(document["layers"][2]["cost_usd"].is_number());
        }
    }
}

/// X2
#[test]
fn a_budget_counts_the_maximum_cost_without_token_counts() {
    let layers = TWO_LAYERS
        .split("[layers.first]")
        .next()
        .unwrap()
        .to_owned()
        + "[layers.story]\ntransform = \"fold\"\ninputs = [\"notes\"]\nmodel = \"cheap\"\n\
           config = { prompt = \"Go on: {{ content }}\", label = \"story\" }\n";
    let project = TestProject::with_layers(&layers);
    for number in 0..9 {
        project.write(&format!("notes/{number}.md"), &format!("Day {number}."));
    }
    project.script(Script::new().rule(Rule::any().raw(RawReply::with("/usage", json!(null)))));
    // Each answer may take 200 tokens at 0.60 dollars a million: 0.00012 dollars.
    let run = project.run(&["build", "--budget", "0.0004"]).expect_code(5);
    assert!(run.says("budget"), "{run:?}");
    assert!((1..9).contains(&project.sent()), "{}", project.sent());
}
