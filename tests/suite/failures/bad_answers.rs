//! An unusable answer never becomes an artifact: each error of a model or provider fails its unit with a kind of its
//! own.

use synix_scripted_provider::{Endpoint, Reply, Rule, Script, StatusReply, ToolCall};

use crate::support::pipelines::{BATCH_BUILD, Mode, TEAM, script_that_truncates, truncated_answer};
use crate::support::test_project::{TestProject, failure_kinds};

/// Six people whose answers are unusable, each in another way.
fn team_with_unusable_answers() -> TestProject {
    let project = TestProject::team();
    for name in [
        "cut",
        "declined",
        "filtered",
        "choiceless",
        "null",
        "tooled",
    ] {
        project.write(&format!("bios/{name}.md"), &format!("I am {name}."));
    }
    project
}

fn unusable_answers() -> Script {
    let tool = ToolCall {
        name: "search".to_owned(),
        arguments: "{}".to_owned(),
    };
    Script::new()
        .rule(Rule::on("I am cut").reply(truncated_answer()))
        .rule(Rule::on("I am declined").reply(Reply::Refusal("I would rather not.".to_owned())))
        .rule(Rule::on("I am filtered").reply(Reply::Finish {
            reason: "content_filter".to_owned(),
            text: None,
        }))
        .rule(Rule::on("I am choiceless").reply(Reply::EmptyChoices))
        .rule(Rule::on("I am null").reply(Reply::NullContent))
        .rule(Rule::on("I am tooled").reply(Reply::ToolCalls(vec![tool])))
}

/// A1, A7
#[track_caller]
fn assert_bad_answers_fail_by_kind(command: &[&str]) {
    let project = team_with_unusable_answers();
    project.script(unusable_answers());
    let document = project
        .run(&[command, &["--json"]].concat())
        .expect_code(3)
        .json();
    let expected = [
        ("choiceless", "empty"),
        ("cut", "truncated"),
        ("declined", "refused"),
        ("filtered", "filtered"),
        ("null", "empty"),
        ("summary", "held_back"),
        ("tooled", "empty"),
    ];
    assert_eq!(TestProject::failures(&document), failure_kinds(&expected));
    let names = project.artifact_names();
    assert_eq!(
        names
            .iter()
            .filter(|name| name.starts_with("styles/"))
            .count(),
        3,
        "{names:?}"
    );
}

#[test]
fn bad_answers_to_sync_calls_fail_with_their_kind() {
    assert_bad_answers_fail_by_kind(&["build"]);
}

#[test]
fn bad_answers_in_a_batch_fail_with_their_kind() {
    assert_bad_answers_fail_by_kind(&BATCH_BUILD);
}

/// A8: this holds for requests whose failure cost nothing.
#[test]
fn the_next_build_retries_a_failed_request() {
    for mode in [Mode::Sync, Mode::Batch] {
        let project = TestProject::team();
        project.script(Script::new().rule(Rule::on("I am bela").status(400)));
        project.build_in(mode).expect_code(3);
        project.script(Script::new());
        project.build_in(mode).expect_code(0);
        assert!(
            project
                .artifact_names()
                .contains(&"summary/summary".to_owned()),
            "{mode:?}"
        );
    }
}

/// A1: without this setting, a truncated answer is not an artifact.
#[test]
fn a_layer_that_accepts_truncated_answers_gets_them() {
    let project = TestProject::team();
    project.pipeline(
        "synix.toml",
        &TEAM.replace("batch = true\n", "batch = true\naccept = [\"truncated\"]\n"),
    );
    project.script(script_that_truncates("bela"));
    project.ok(&["build"]);
    assert_eq!(project.content("ws-bela"), "half a sen");
}

/// L18: the provider would refuse the key for every request, so the others are not sent.
#[test]
fn a_refused_key_is_tried_once() {
    let project = TestProject::team();
    project.script(Script::new().key("another key"));
    let run = project
        .run(&["build", "--concurrency", "1", "--json"])
        .expect_code(3);
    let failures = TestProject::failures(&run.json());
    assert!(
        failures.contains(&("amara".to_owned(), "auth".to_owned())),
        "{failures:?}"
    );
    assert_eq!(project.ledger().calls(Endpoint::Chat), 1);
}

/// L18: an account without credit is not tried again.
#[test]
fn an_empty_account_is_tried_once() {
    let project = TestProject::team();
    project.script(
        Script::new().rule(Rule::any().reply(Reply::Status(StatusReply::insufficient_quota()))),
    );
    let run = project
        .run(&["build", "--concurrency", "1", "--json"])
        .expect_code(3);
    let failures = TestProject::failures(&run.json());
    assert!(
        failures.contains(&("amara".to_owned(), "quota".to_owned())),
        "{failures:?}"
    );
    assert_eq!(project.ledger().calls(Endpoint::Chat), 1);
}

#[test]
fn a_busy_provider_is_retried_until_it_answers() {
    let project = TestProject::team();
    let busy = StatusReply::new(429).header("retry-after", "0");
    project.script(Script::new().rule(Rule::on("I am bela").times(3).reply(Reply::Status(busy))));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 4);
}
