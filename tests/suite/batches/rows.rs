//! The rows of a batch: valid ones are kept whatever happens to the others, and each is matched to its request.

use synix_scripted_provider::{
    Endpoint, Fault, FaultKind, Mode, Mode as Only, Pace, Reply, Rule, Script, StatusReply,
};

use crate::batches::lost_creation::assert_made_once;
use crate::support::invocation::Run;
use crate::support::pipelines::{BATCH_BUILD, RESUME, message_batch_project};
use crate::support::test_project::{TestProject, failure_kinds};
use crate::support::transcript::assert_transcript;

/// M6: the rows of an expired batch are paid for. Only the others are sent again.
#[test]
fn the_finished_rows_of_an_expired_batch_are_kept() {
    let project = TestProject::team();
    project.script(
        Script::new()
            .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::ExpireAfter { rows: 2 }).once()),
    );
    project.ok(&BATCH_BUILD);
    assert_made_once(&project, 2);
}

/// M6: the same for a batch that was cancelled at the provider.
#[test]
fn the_finished_rows_of_a_cancelled_batch_are_kept() {
    let project = TestProject::team();
    project.script(
        Script::new()
            .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::CancelAfter { rows: 1 }).once()),
    );
    let run = project.run(&BATCH_BUILD);
    assert_eq!(project.ledger().duplicates(), [], "{run:?}");
    project.run(&BATCH_BUILD);
    assert_made_once(&project, 2);
}

/// M6: only the other rows are sent again.
#[test]
fn the_finished_rows_of_an_expired_message_batch_are_kept() {
    let project = message_batch_project();
    let expired = FaultKind::ExpireAfter { rows: 2 };
    project.script(Script::new().fault(Fault::on(Endpoint::MessageBatchesCreate, expired).once()));
    project.ok(&BATCH_BUILD);
    assert_eq!((project.ledger().batches.len(), project.sent()), (2, 3));
    assert_eq!(project.artifact_names().len(), 6);
}

#[test]
fn a_batch_that_fails_validation_reports_why() {
    let project = TestProject::team();
    let fault = FaultKind::FailValidation {
        code: "invalid_json_line".to_owned(),
        message: "This line is not parseable as valid JSON.".to_owned(),
        param: None,
        line: Some(2),
    };
    project.script(Script::new().fault(Fault::on(Endpoint::BatchesCreate, fault)));
    let run = project.run(&BATCH_BUILD).expect_code(3);
    assert_transcript!(run);
    assert_eq!(project.ledger().executed.len(), 0);
}

#[test]
fn rows_in_any_order_are_matched_to_their_requests() {
    let project = TestProject::team();
    let expected = {
        let other = TestProject::team();
        other.ok(&BATCH_BUILD);
        other.artifacts()
    };
    project.script(
        Script::new()
            .batches(Pace {
                shuffle: true,
                ..Pace::default()
            })
            .seed(7),
    );
    project.ok(&BATCH_BUILD);
    assert_eq!(project.artifacts(), expected);
}

/// M10: the rows report the tokens.
#[test]
fn a_batch_build_counts_the_tokens_its_provider_billed() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let ledger = project.ledger();
    let billed = ledger.executed.iter().fold((0, 0), |sum, one| {
        (sum.0 + one.input_tokens, sum.1 + one.output_tokens)
    });
    let tokens = &project.status()["tokens"];
    assert_eq!(
        (tokens["input"].as_u64(), tokens["output"].as_u64()),
        (Some(billed.0), Some(billed.1))
    );
}

/// A2: the reason is the provider's own message.
#[test]
fn a_failed_row_reports_why_and_the_other_rows_are_kept() {
    let project = TestProject::team();
    let reason = serde_json::json!({"error": {
        "message": "Your prompt was flagged by the house rules.",
        "type": "invalid_request_error", "param": null, "code": "invalid_prompt",
    }});
    let reply = Reply::Status(StatusReply::new(400).body(reason));
    project.script(Script::new().rule(Rule::on("I am bela").only(Only::Batch).reply(reply)));
    let run = project.run(&BATCH_BUILD).expect_code(3);
    assert_transcript!(run);
    assert_eq!(
        TestProject::failures(&project.status()),
        failure_kinds(&[("bela", "invalid"), ("summary", "held_back")])
    );
    assert!(
        project
            .artifact_names()
            .contains(&"styles/ws-amara".to_owned())
    );
}

/// A4: a missing row is sent again, and an unexpected row is reported.
#[test]
fn an_invalid_row_does_not_affect_the_other_rows() {
    for reply in [
        Reply::MissingRow,
        Reply::DuplicateRow,
        Reply::UnknownRow,
        Reply::Garbled,
    ] {
        let project = TestProject::team();
        project.script(
            Script::new().rule(
                Rule::on("I am bela")
                    .only(Only::Batch)
                    .times(1)
                    .reply(reply.clone()),
            ),
        );
        project.ok(&BATCH_BUILD);
        assert_eq!(project.artifact_names().len(), 7, "{reply:?}");
        let repeated = project.ledger().duplicates().len();
        assert!(
            repeated <= usize::from(matches!(reply, Reply::MissingRow | Reply::Garbled)),
            "{reply:?}"
        );
    }
}

const DAYS_LATER: &str = "2026-01-03T00:00:00Z";

/// L16: one poll is repeated as often when the reply is a 404.
fn repeated_404(endpoint: Endpoint, first: u64) -> Script {
    Script::new().fault(Fault::on(endpoint, FaultKind::NotFound).nth(first).times(6))
}

fn resume_at(project: &TestProject, at: &str) -> Run {
    project
        .command(&RESUME)
        .env("SYNIX_CLOCK", at)
        .run()
        .expect_code(0)
}

/// A batch that the provider deleted does not block its requests for ever.
#[test]
fn a_batch_that_is_missing_for_days_is_abandoned_and_created_again() {
    for (at, batches) in [(DAYS_LATER, 2), ("2026-01-02T12:00:00Z", 1)] {
        let project = TestProject::team();
        project.pause_batches();
        project.ok(&["batch-build", "run"]);
        project.script(repeated_404(Endpoint::BatchesRetrieve, 1));
        if batches == 1 {
            project.provider.finish_batches();
        }
        let run = resume_at(&project, at);
        assert_eq!(project.ledger().batches.len(), batches, "{run:?}");
        assert_eq!(run.says("no longer exists"), batches == 2, "{run:?}");
        assert_eq!(project.artifact_names().len(), 7);
    }
}

/// A6: one of two files is gone.
#[test]
fn the_rows_of_the_remaining_file_are_kept() {
    let project = TestProject::team();
    project.ok(&["batch-build", "run"]);
    let fails = Rule::on("I am bela").only(Mode::Batch);
    // The output file is downloaded first, then the error file.
    project.script(repeated_404(Endpoint::FilesContent, 2).rule(fails.status(400).times(1)));
    let run = resume_at(&project, DAYS_LATER);
    let rows: Vec<usize> = project
        .ledger()
        .batches
        .iter()
        .map(|batch| batch.rows)
        .collect();
    assert_eq!(rows, [3, 1], "{run:?}");
    assert_eq!(project.artifact_names().len(), 7);
}
