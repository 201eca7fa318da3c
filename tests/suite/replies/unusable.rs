//! Replies and rows that are unusable, and unknown endings of answers.

use synix_scripted_provider::{Endpoint, RawReply, Reply, Rule, Script};

use crate::replies::{TWO_LAYERS, project_with_notes};
use crate::support::costs::{billed, picodollars};
use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::{TestProject, failure_kinds, text};

/// X3: the reply is complete, so the request is not sent again. It may be billed, and the message gives the reason.
#[test]
fn an_unusable_reply_fails_once() {
    let project = project_with_notes(&["amara", "bela", "chitra"]);
    let page = RawReply::body("<html><head><title>Please sign in</title></head>").lost();
    project.script(Script::new().rule(Rule::on("Say: I am bela").raw(page)));
    let run = project.run(&["build", "--json"]).expect_code(3);
    let document = run.json();
    assert_eq!(
        TestProject::failures(&document),
        failure_kinds(&[("bela", "unreadable")])
    );
    let message = text(&document["failures"][0]["message"]);
    assert!(
        message.contains("an HTML page titled \"Please sign in\""),
        "{message}"
    );
    assert_eq!(document["requests"]["unclear"], 1);
    assert_eq!(project.ledger().calls(Endpoint::Chat), 3);
    assert_eq!(project.sent(), 6);
}

/// X4: the message names the line of the row and the reason.
#[test]
fn an_unreadable_row_is_kept_and_retried_once() {
    let project = project_with_notes(&["amara", "bela", "chitra"]);
    let broken = RawReply::body(
        r#"{"custom_id":"<<id>>","response":{"status_code":200,"body":{"choices":[,"#,
    );
    project.script(Script::new().rule(Rule::on("Say: I am bela").raw(broken.lost())));
    let run = project.run(&BATCH_BUILD).expect_code(3);
    let status = project.status();
    assert_eq!(
        TestProject::failures(&status),
        failure_kinds(&[("bela", "unreadable")])
    );
    let message = text(&status["failures"][0]["message"]);
    assert!(message.contains("of its output file"), "{message}");
    assert!(message.contains("a value is missing at byte"), "{message}");
    assert!(run.stderr.contains("of its output file"), "{}", run.stderr);
    let executed = project.ledger().executed;
    let sent_rows = executed.iter().filter(|one| !one.delivered).count();
    assert_eq!(sent_rows, 2, "{executed:?}");
    assert_eq!(status["requests"]["unclear"], 2);
    let stored_rows = std::fs::read_dir(project.path(".synix/batches")).unwrap();
    let stored_rows: Vec<String> = stored_rows
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(stored_rows.len(), 2, "{stored_rows:?}");
    assert!(
        stored_rows
            .iter()
            .all(|row| row.contains(r#""choices":[,"#)),
        "{stored_rows:?}"
    );
}

/// X5: `accept` of the layer applies to all synonyms.
#[test]
fn every_synonym_of_the_token_limit_is_truncated() {
    let accepting = TWO_LAYERS.replace("\nconfig", "\naccept = [\"truncated\"]\nconfig");
    for command in [&["build"][..], &BATCH_BUILD] {
        for (layers, code) in [(TWO_LAYERS, 3), (accepting.as_str(), 0)] {
            let project = TestProject::with_layers(layers);
            project.write("notes/bela.md", "I am bela.");
            let reply = Reply::Finish {
                reason: "MODEL_LENGTH".to_owned(),
                text: Some("half a sen".to_owned()),
            };
            project.script(Script::new().rule(Rule::any().reply(reply)));
            let run = project.run(command).expect_code(code);
            assert_eq!(project.sent(), 2, "{run:?}");
            if code == 3 {
                assert!(run.says("truncated"), "{run:?}");
            }
        }
    }
}

/// X5: each attempt is billed, so there is one retry, not five.
#[test]
fn an_unknown_ending_is_retried_once() {
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = project_with_notes(&["bela"]);
        let reply = Reply::Finish {
            reason: "tired".to_owned(),
            text: None,
        };
        project.script(Script::new().rule(Rule::on("Say:").reply(reply)));
        let document = project
            .run(&[command, &["--json"]].concat())
            .expect_code(3)
            .json();
        assert_eq!(
            TestProject::failures(&document),
            failure_kinds(&[("bela", "unreadable")])
        );
        assert_eq!(project.sent(), 3, "{command:?}");
        assert_eq!(
            picodollars(&document["cost_usd"]),
            billed(&project.ledger())
        );
    }
}
