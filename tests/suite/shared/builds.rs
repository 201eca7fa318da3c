//! What one machine paid for, another gets for nothing.

use synix_scripted_provider::{Reply, Rule, Script};

use super::{Team, ids, ok};
use crate::support::pipelines::{BATCH_BUILD, embedded_team};
use crate::support::processes::wait_for_output;

#[test]
fn the_second_project_pays_nothing() {
    for command in [&["build"][..], &BATCH_BUILD] {
        let team = Team::of(embedded_team());
        ok(&team.in_first(command));
        let sent = team.first.sent();
        team.assert_nothing_claimed();
        let second = ok(&team.in_second(command));
        assert_eq!(team.first.sent(), sent, "{command:?}: {second:?}");
        assert!(
            second
                .stdout
                .contains("answers from shared answers, at no cost"),
            "{second:?}"
        );
        assert_eq!(
            ids(&team.artifacts_of_second()),
            ids(&team.artifacts_of_first())
        );
        team.assert_nothing_claimed();
    }
}

/// A batch answers a sync build, and the artifacts are the same.
#[test]
fn a_sync_build_uses_the_answers_of_a_batch() {
    let team = Team::new();
    ok(&team.in_first(&BATCH_BUILD));
    let sent = team.first.sent();
    ok(&team.in_second(&["build"]));
    assert_eq!(team.first.sent(), sent);
    assert_eq!(
        ids(&team.artifacts_of_second()),
        ids(&team.artifacts_of_first())
    );

    let shown = team.in_second(&["show", "ws-amara", "--json"]).run().json();
    let request = &shown["provenance"]["requests"][0];
    assert_eq!(request["shared"]["url"], team.url());
    assert_eq!(request["shared"]["provider"], "openai");
    assert!(request["shared"]["batch"].is_string(), "{request}");
    assert_eq!(request["cost_usd"].as_f64(), Some(0.0));
    let lineage = ok(&team.in_second(&["lineage", "ws-amara"]));
    assert!(
        lineage.stdout.contains("from shared answers in file://"),
        "{lineage:?}"
    );
}

/// Each of the two waits for what the other has claimed, and sends its own.
#[test]
fn two_builds_at_once_pay_once_for_each_request() {
    for command in [&["build"][..], &BATCH_BUILD] {
        let team = Team::new();
        let both = [team.in_first(command), team.in_second(command)];
        let both = both.map(|command| {
            command
                .process()
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        });
        for child in both {
            wait_for_output(child).expect_code(0);
        }
        assert_eq!(team.first.ledger().duplicates(), [], "{command:?}");
        assert_eq!(
            ids(&team.artifacts_of_second()),
            ids(&team.artifacts_of_first())
        );
        team.assert_nothing_claimed();
    }
}

#[test]
fn a_refused_answer_is_not_shared() {
    let team = Team::new();
    let refusal = Reply::Refusal("No.".to_owned());
    team.first
        .script(Script::new().rule(Rule::on("I am bela").reply(refusal)));
    assert_eq!(team.in_first(&["build"]).run().code, 3);
    assert_eq!(team.objects_in("answers").len(), 2);
    team.first.script(Script::new());
    // The claim is released, so the second project asks again without a wait.
    ok(&team.in_second(&["build"]));
}

/// An answer in the state is never looked up, and a replay never uses the store.
#[test]
fn a_build_with_all_answers_does_not_use_the_store() {
    let team = Team::new();
    team.first.ok(&["build", "--cassette-mode", "record"]);
    std::fs::remove_dir(team.answers()).unwrap();
    let again = ok(&team.in_first(&["build"]));
    let replay = ok(&team.in_first(&["build", "--cassette-mode", "replay"]));
    let plan = ok(&team.in_second(&["plan"]));
    for run in [again, replay, plan] {
        assert!(!run.stderr.contains("shared"), "{run:?}");
    }
}
