//! A paid answer that is unusable is not paid for again unless the user requests it.

use synix_scripted_provider::{Endpoint, RawReply, Reply, Rule, Script};

use crate::support::costs::picodollars;
use crate::support::pipelines::{BATCH_BUILD, Mode, RESUME, TEAM, script_that_truncates};
use crate::support::processes::wait_for_output;
use crate::support::test_project::{TestProject, failure_kinds, text};
use crate::support::transcript::assert_transcript;

fn reply_with_ending(reason: &str) -> Reply {
    Reply::Finish {
        reason: reason.to_owned(),
        text: Some("half a sen".to_owned()),
    }
}

/// Each kind of a paid and unusable answer.
fn paid_unusable_replies() -> [(Reply, &'static str); 4] {
    [
        (reply_with_ending("length"), "truncated"),
        (Reply::Refusal("I would rather not.".to_owned()), "refused"),
        (reply_with_ending("content_filter"), "filtered"),
        (Reply::NullContent, "empty"),
    ]
}

/// DESIGN 1: in every build, whichever mode sent it and whichever would send it.
#[test]
fn a_useless_answer_is_paid_for_once() {
    for (reply, kind) in paid_unusable_replies() {
        for (first, second) in [(Mode::Sync, Mode::Batch), (Mode::Batch, Mode::Sync)] {
            let context = format!("{kind}, {first:?}, then {second:?}");
            let project = TestProject::team();
            project.script(Script::new().rule(Rule::on("I am bela").reply(reply.clone())));
            project.build_in(first).expect_code(3);
            let sent = project.sent();
            project.script(Script::new());
            for mode in [first, second] {
                let run = project.build_in(mode).expect_code(3);
                assert!(run.says(&format!("({kind})")), "{context}: {run:?}");
                assert!(run.says("--retry-failed"), "{context}: {run:?}");
                assert_eq!(project.sent(), sent, "{context}");
            }
            let retry = [&["build"][..], &["--retry-failed"]].concat();
            project.ok(&retry);
            assert_eq!(project.sent(), sent + 2, "{context}");
            assert!(!project.content("ws-bela").is_empty(), "{context}");
        }
    }
}

/// DESIGN 1: `resume` retries only requests that cost nothing.
#[test]
fn resume_retries_only_failures_that_cost_nothing() {
    let project = TestProject::team();
    project.script(
        Script::new()
            .rule(Rule::on("I am bela").reply(Reply::Refusal("I would rather not.".to_owned())))
            .rule(Rule::on("I am chitra").status(400)),
    );
    project.run(&BATCH_BUILD).expect_code(3);
    let sent = project.sent();
    project.script(Script::new());
    let run = project.run(&RESUME).expect_code(3);
    assert_eq!(project.sent(), sent + 1);
    assert_eq!(
        TestProject::failures(&project.status()),
        failure_kinds(&[("bela", "refused"), ("summary", "held_back")])
    );
    // U12: the hint only names commands that would help.
    for part in [
        "`synix batch-build resume build-1 --retry-failed` sends requests again that were paid for",
        "after a change of the pipeline: `synix batch-build run`",
    ] {
        assert!(run.stdout.contains(part), "{run:?}");
    }
    assert!(!run.stdout.contains("continue with"), "{run:?}");
    project.ok(&[&RESUME[..], &["--retry-failed=refused"]].concat());
    assert_eq!(project.artifact_names().len(), 7);
}

/// DESIGN 1: the other kinds stay failed.
#[test]
fn retry_failed_retries_only_the_named_kinds() {
    let project = TestProject::team();
    project.script(
        Script::new()
            .rule(Rule::on("I am bela").reply(Reply::Refusal("No.".to_owned())))
            .rule(Rule::on("I am chitra").reply(Reply::NullContent)),
    );
    project.run(&["build"]).expect_code(3);
    project.script(Script::new());
    let run = project.run(&["build", "--retry-failed=truncated,empty", "--json"]);
    let failed = TestProject::failures(&run.expect_code(3).json());
    assert_eq!(
        failed,
        failure_kinds(&[("bela", "refused"), ("summary", "held_back")])
    );
    let wrong = project
        .run(&["build", "--retry-failed=expired"])
        .expect_code(2);
    assert_transcript!(wrong);
}

/// DESIGN 1: a change makes a new request. An answer that a layer accepts after a change is already paid for.
#[test]
fn a_pipeline_change_retries_a_paid_failure() {
    let project = TestProject::team();
    project.script(script_that_truncates("bela"));
    project.run(&["build"]).expect_code(3);
    let sent = project.sent();
    project.script(Script::new());
    let accepting = TEAM.replace("batch = true\n", "batch = true\naccept = [\"truncated\"]\n");
    project.pipeline("synix.toml", &accepting);
    project.ok(&["build"]);
    // Only the summary is sent.
    assert_eq!(
        (project.sent(), project.content("ws-bela")),
        (sent + 1, "half a sen".to_owned())
    );
    project.pipeline(
        "synix.toml",
        &TEAM.replace("max_tokens = 200", "max_tokens = 250"),
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent + 1 + 4);
}

/// DESIGN 1: a plan counts what a build would send, and separately what `--retry-failed` would send.
#[test]
fn a_plan_counts_the_requests_of_retry_failed_separately() {
    let project = TestProject::team();
    let untouched = project.json(&["plan"]);
    assert_eq!(untouched["layers"][1]["retry_failed"]["requests"], 0);
    project.script(
        Script::new()
            .rule(Rule::on("I am bela").reply(reply_with_ending("length")))
            .rule(Rule::on("I am chitra").reply(Reply::Refusal("No.".to_owned())))
            .rule(Rule::on("I am amara").status(400)),
    );
    project.run(&["build"]).expect_code(3);
    for plan in [&["plan"][..], &["batch-build", "plan"]] {
        let layer = &project.json(plan)["layers"][1];
        assert_eq!(layer["requests"], 1, "{layer}");
        let retry = &layer["retry_failed"];
        assert_eq!(retry["requests"], 2);
        let kinds = serde_json::json!({"refused": 1, "truncated": 1});
        assert_eq!(retry["kinds"], kinds);
        // The requests are as long as the one that is sent anyway, except for the names.
        let (once, twice) = (
            picodollars(&layer["cost_usd"]),
            picodollars(&retry["cost_usd"]),
        );
        assert!(once < twice && twice < 3 * once, "{layer}");
        let run = project.ok(plan);
        assert!(
            run.says("styles: 2 more requests with --retry-failed (1 refused, 1 truncated)"),
            "{run:?}"
        );
    }
}

/// A budget only counts what is sent.
#[test]
fn paid_failures_need_no_budget() {
    let project = TestProject::team();
    project.script(script_that_truncates("bela"));
    project.run(&["build"]).expect_code(3);
    project.run(&["build", "--budget", "0"]).expect_code(3);
    let run = project.run(&["build", "--budget", "0", "--retry-failed"]);
    assert!(run.expect_code(5).says("budget"));
}

/// A chain of requests, each of which contains the answer to the one before.
const CHAIN: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 200

[layers.notes]
source = "notes/*.md"

[layers.story]
transform = "fold"
inputs = ["notes"]
batch = false
[layers.story.config]
prompt = "So far: {{ so_far }}. Now: {{ content }}"
initial = "Nothing."
label = "story"
"#;

/// X2: an answer without token counts spends the budget too.
#[test]
fn a_budget_stops_a_build_without_token_counts() {
    let notes = 30;
    for usage in [
        serde_json::Value::Null,
        serde_json::json!({"total": "many"}),
    ] {
        let project = TestProject::with_layers(CHAIN);
        for number in 0..notes {
            project.write(&format!("notes/{number:02}.md"), "A note.");
        }
        project.script(
            Script::new().rule(Rule::any().reply(Reply::Raw(RawReply::with("/usage", usage)))),
        );
        // Each answer may cost 0.00012 dollars, so a few of them fit.
        let run = project.run(&["build", "--budget", "0.001"]).expect_code(5);
        assert!(
            run.says("the budget of $0.0010 could be exceeded"),
            "{run:?}"
        );
        let sent = project.sent();
        assert!((1..=8).contains(&sent), "{sent}");
        let status = project.json(&["batch-build", "status", "build-1"]);
        assert_eq!(status["cost_usd"], serde_json::Value::Null);
        assert_eq!(status["tokens"]["output"], serde_json::Value::Null);
        assert!(text(&status["unpriced"][0]).contains("gpt-4o-mini"));
        // With a larger budget, the build continues where it stopped.
        project.ok(&["build", "--budget", "1"]);
        assert_eq!(
            (project.sent(), project.ledger().duplicates().len()),
            (notes, 0)
        );
    }
}

/// X15
#[test]
fn an_empty_request_is_not_sent() {
    for (command, note) in [(&["build"][..], ""), (&BATCH_BUILD, " \n\t\u{a0}\n")] {
        let project = TestProject::team();
        project.write("prompts/style.md", "{{ content }}");
        project.write("bios/bela.md", note);
        let run = project.run(command).expect_code(3);
        assert!(
            run.says("the question is empty: for this input its prompt"),
            "{run:?}"
        );
        assert_eq!(project.sent(), 2);
        let status = project.json(&["batch-build", "status", "build-1"]);
        assert_eq!(
            TestProject::failures(&status),
            failure_kinds(&[("bela", "guest"), ("summary", "held_back")])
        );
        // A prompt that is empty for every input is an error of the pipeline.
        project.write("prompts/style.md", " \n");
        assert!(project.run(command).expect_code(2).says("is empty"));
        assert_eq!(project.sent(), 2);
    }
}

/// M3: the answer is stored together with the claim of the next request, which must not lose it.
#[test]
fn an_answer_is_kept_although_the_next_request_cannot_be_claimed() {
    let layers = "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n[layers.notes]\nsource = \"notes/*.md\"\n\
        [layers.answers]\ntransform = \"map\"\ninputs = [\"notes\"]\n[layers.answers.config]\nprompt = \"Answer: {{ content }}\"\n";
    // The second request has a row that synix did not write, or its text was changed.
    for (damage, repair) in [
        (
            "INSERT INTO answer (id, request, realm, truncated) SELECT 77, max(id), x'', 0 FROM request;
             INSERT INTO answer_body (answer, document, seal) VALUES (77, '{}', 7)",
            "DELETE FROM answer_body WHERE answer = 77; DELETE FROM answer WHERE id = 77",
        ),
        (
            "UPDATE request_body SET document = '!' || document WHERE request = (SELECT max(id) FROM request)",
            "UPDATE request_body SET document = substr(document, 2) WHERE document LIKE '!%'",
        ),
    ] {
        let project = TestProject::with_layers(layers);
        for name in ["a", "b"] {
            project.write(&format!("notes/{name}.md"), name);
        }
        project.script(Script::new().rule(Rule::any().held()));
        let mut build = project.start(&["build", "--concurrency", "1"]);
        project.wait_for(&mut build, |ledger| ledger.calls(Endpoint::Chat) == 1);
        project.wait_for_state(&mut build, "SELECT count(*) = 2 FROM request");
        project.database().execute_batch(damage).unwrap();
        project.script(Script::new());
        wait_for_output(build).expect_code(1);
        project.database().execute_batch(repair).unwrap();
        project.ok(&["build"]);
        assert_eq!(project.sent(), 2, "{damage}");
    }
}
