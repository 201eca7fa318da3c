//! Nothing is paid twice and no paid answer is lost, whatever happens to a batch.

use synix_scripted_provider::{Endpoint, Fault, FaultKind, Pace, Script, StatusReply};

use crate::test_project::{BATCH_BUILD, MODES, Mode, RESUME, TestProject, text};
use crate::transcript::assert_transcript;

/// Asserts that each artifact was made once, through this number of batches.
#[track_caller]
fn assert_made_once(project: &TestProject, batches: usize) {
    assert_eq!(project.artifact_names().len(), 7);
    let ledger = project.ledger();
    assert_eq!(ledger.duplicates(), []);
    assert_eq!(ledger.batches.len(), batches, "{:?}", ledger.batches);
    assert_eq!(project.sent(), 4);
}

/// M1: a batch whose create reply was lost is found in the provider's list.
#[test]
fn a_batch_whose_reply_was_lost_is_adopted() {
    let project = TestProject::team();
    project.script(
        Script::new().fault(Fault::on(Endpoint::BatchesCreate, FaultKind::LoseReply).once()),
    );
    project.ok(&BATCH_BUILD);
    assert_made_once(&project, 1);
}

/// M1: the gateway replies with an error although the batch was created, and the list shows the batch late.
#[test]
fn a_batch_created_despite_a_gateway_error_is_adopted_once_the_list_shows_it() {
    let project = TestProject::team();
    let create = Fault::on(
        Endpoint::BatchesCreate,
        FaultKind::Status(StatusReply::new(503).executed()),
    )
    .once();
    let list = Fault::on(Endpoint::BatchesList, FaultKind::HideNewest { batches: 1 })
        .nth(1)
        .times(2);
    project.script(Script::new().fault(create).fault(list));
    project.ok(&BATCH_BUILD);
    assert_made_once(&project, 1);
}

/// M1: a call that surely had no effect is repeated. This is the only case.
#[test]
fn a_create_call_without_effect_is_repeated() {
    let project = TestProject::team();
    project
        .script(Script::new().fault(Fault::on(Endpoint::BatchesCreate, FaultKind::Refuse).once()));
    project.ok(&BATCH_BUILD);
    assert_made_once(&project, 1);
}

/// M2: killed between the create call and its reply.
#[test]
fn a_batch_created_by_a_killed_process_is_adopted() {
    let project = TestProject::team();
    let slow = FaultKind::Delay {
        ms: 3_600_000,
        executed: true,
    };
    project.script(Script::new().fault(Fault::on(Endpoint::BatchesCreate, slow).once()));
    let mut child = project.start(&BATCH_BUILD);
    project.wait_for(&mut child, |ledger| ledger.batches.len() == 1);
    child.kill().unwrap();
    child.wait().unwrap();
    project.script(Script::new());
    project.ok(&RESUME);
    assert_made_once(&project, 1);
}

/// L16: a provider may not find a new batch for a moment.
#[test]
fn a_transient_404_does_not_abandon_a_batch() {
    let project = TestProject::team();
    let fault = Fault::on(Endpoint::BatchesRetrieve, FaultKind::NotFound).once();
    project.script(Script::new().fault(fault));
    project.ok(&BATCH_BUILD);
    assert_made_once(&project, 1);
}

/// L4: one network error while polling does not end the build.
#[test]
fn polling_survives_errors() {
    let project = TestProject::team();
    let lost = Fault::on(Endpoint::BatchesRetrieve, FaultKind::LoseReply)
        .nth(1)
        .times(8);
    let busy = Fault::on(
        Endpoint::FilesContent,
        FaultKind::Status(StatusReply::new(500)),
    )
    .nth(1)
    .times(2);
    project.script(Script::new().fault(lost).fault(busy));
    project.ok(&BATCH_BUILD);
    assert_made_once(&project, 1);
}

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

/// M5: requests in flight in another build are waited for and never sent again.
#[test]
fn a_second_build_waits_for_the_batch_of_the_first() {
    let project = TestProject::team();
    project.pause_batches();
    let first = text(&project.json(&["batch-build", "run"])["build"]);
    let second = text(&project.json(&["batch-build", "run"])["build"]);
    assert_ne!(first, second);
    assert_eq!((project.ledger().batches.len(), project.sent()), (1, 3));

    project.provider.finish_batches();
    for build in [&second, &first] {
        project.ok(&[
            "batch-build",
            "resume",
            build,
            "--poll",
            "--poll-interval",
            "0",
        ]);
        assert_eq!(
            project.json(&["batch-build", "status", build])["status"],
            "completed"
        );
    }
    assert_made_once(&project, 1);
}

/// M5: `build` waits, or exits with a code of its own.
#[test]
fn no_wait_exits_while_another_builds_batch_is_in_flight() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.run(&["build", "--no-wait"]).expect_code(4);
    assert_eq!(project.sent(), 3);
}

/// M8: an exit reports what is still running and how to resume it.
#[test]
fn an_exit_with_a_batch_in_flight_prints_how_to_resume() {
    let project = TestProject::team();
    project.pause_batches();
    let run = project.ok(&["batch-build", "run"]);
    assert_transcript!(run);
}

/// M7: paid answers are kept.
#[test]
fn cancel_cancels_the_batch_at_its_provider() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.ok(&["batch-build", "cancel"]);
    assert_eq!(project.status()["status"], "cancelled");
    assert_eq!(project.ledger().calls(Endpoint::BatchesCancel), 1);
    project.run(&RESUME).expect_code(5);
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

/// A3: polls of a batch without an output file count, whichever command makes them.
#[test]
fn a_batch_whose_output_file_never_appears_is_settled() {
    let project = TestProject::team();
    let late = FaultKind::OutputLate { polls: 1 << 40 };
    project.script(Script::new().fault(Fault::on(Endpoint::BatchesCreate, late).once()));
    project.ok(&["batch-build", "run"]);
    let batches = || project.ledger().batches.len();
    for _ in 0..20 {
        if batches() > 1 {
            break;
        }
        project.ok(&["batch-build", "resume", "--latest"]);
    }
    assert_eq!(batches(), 2);
}

/// A revoked key ends the command, which would otherwise poll for ever. The batch is not lost.
#[test]
fn a_401_while_polling_ends_the_command() {
    let project = TestProject::team();
    let refused = FaultKind::Status(StatusReply::new(401));
    project.script(Script::new().fault(Fault::on(Endpoint::BatchesRetrieve, refused)));
    let run = project.run(&BATCH_BUILD).expect_code(1);
    assert_transcript!(run);
    project.script(Script::new());
    project.ok(&RESUME);
    assert_made_once(&project, 1);
}

/// One Anthropic layer over three people, sent in batches.
const MESSAGE_BATCH_LAYERS: &str = r#"
[models.default]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 300
batch = true

[layers.bios]
source = "bios/*.md"

[layers.styles]
transform = "map"
inputs = ["bios"]
batch = true
[layers.styles.config]
prompt = "How does this person work?\n\n{{ content }}"
"#;

/// A script whose batches may be polled again at once.
pub(crate) fn immediate_batches() -> Script {
    Script::new().batches(Pace {
        retry_after: 0,
        ..Pace::default()
    })
}

/// Three people whose only requests are sent to Anthropic in a batch.
pub(crate) fn message_batch_project() -> TestProject {
    let project = TestProject::with_layers(MESSAGE_BATCH_LAYERS);
    project.script(immediate_batches());
    for name in ["amara", "bela", "chitra"] {
        project.write(&format!("bios/{name}.md"), &format!("I am {name}."));
    }
    project
}

/// L17
#[test]
fn a_message_batch_makes_the_same_artifacts_as_sync_calls() {
    let artifacts = MODES.map(|mode| {
        let project = message_batch_project();
        project.build_in(mode).expect_code(0);
        if mode == Mode::Batch {
            let ledger = project.ledger();
            assert_eq!(ledger.calls(Endpoint::Messages), 0);
            assert_eq!(ledger.calls(Endpoint::MessageBatchesCreate), 1);
            assert_eq!((ledger.duplicates().len(), project.sent()), (0, 3));
        }
        project.artifacts()
    });
    assert_eq!(artifacts[0].len(), 6);
    assert_eq!(artifacts[0], artifacts[1]);
    assert_eq!(artifacts[1], artifacts[2]);
}

/// L16, A3: a 404 for a batch or its results, and late results, are waited out.
#[test]
fn a_message_batch_that_returns_404_at_first_is_not_sent_again() {
    let project = message_batch_project();
    let missing = |endpoint| Fault::on(endpoint, FaultKind::NotFound).once();
    let late = FaultKind::OutputLate { polls: 2 };
    project.script(
        immediate_batches()
            .fault(missing(Endpoint::MessageBatchesRetrieve))
            .fault(missing(Endpoint::MessageBatchesResults))
            .fault(Fault::on(Endpoint::MessageBatchesCreate, late).once()),
    );
    project.ok(&BATCH_BUILD);
    assert_eq!((project.ledger().batches.len(), project.sent()), (1, 3));
}

/// M6: only the other rows are sent again.
#[test]
fn the_finished_rows_of_an_expired_message_batch_are_kept() {
    let project = message_batch_project();
    let expired = FaultKind::ExpireAfter { rows: 2 };
    project.script(
        immediate_batches().fault(Fault::on(Endpoint::MessageBatchesCreate, expired).once()),
    );
    project.ok(&BATCH_BUILD);
    assert_eq!((project.ledger().batches.len(), project.sent()), (2, 3));
    assert_eq!(project.artifact_names().len(), 6);
}

/// M1: an Anthropic batch carries no token, so no second batch is created after an unclear create call.
#[test]
fn an_unclear_message_batch_is_not_created_again() {
    let project = message_batch_project();
    project.script(
        immediate_batches()
            .fault(Fault::on(Endpoint::MessageBatchesCreate, FaultKind::LoseReply).once()),
    );
    project.ok(&["batch-build", "run"]);
    project.ok(&["batch-build", "resume", "--latest"]);
    assert_eq!(project.ledger().calls(Endpoint::MessageBatchesCreate), 1);
}

/// C4: `batch_api` is enough for a compatible server; `batch = true` is not needed.
#[test]
fn batch_api_enables_batches_at_a_compatible_server() {
    let project = message_batch_project();
    let provider = format!(
        "[providers.groq]\napi = \"openai\"\nbase_url = \"{}\"\nbatch_api = \"groq\"\napi_key_env = \"OPENAI_API_KEY\"\n",
        project.provider.openai_url()
    );
    let layers = MESSAGE_BATCH_LAYERS
        .replace("\"anthropic\"", "\"groq\"")
        .replace("claude-haiku-4-5", "gpt-4o-mini")
        .replace("max_tokens = 300\nbatch = true", "max_tokens = 300");
    project.pipeline("synix.toml", &format!("{provider}{layers}"));
    project.ok(&BATCH_BUILD);
    assert_eq!((project.ledger().batches.len(), project.sent()), (1, 3));
}

/// M1: two create calls of equal size are lost. The first submission that searches adopts the batch of the other, which
/// must not be created again.
#[test]
fn a_batch_adopted_by_the_wrong_submission_is_not_created_again() {
    let project = message_batch_project();
    // Long enough for the other submission to poll its usual number of times.
    project.script(Script::new().batches(Pace {
        retry_after: 0,
        ..Pace::in_progress(30)
    }));
    let mut batches = Vec::new();
    for name in ["dario", "elena"] {
        project.write(&format!("bios/{name}.md"), &format!("I am {name}."));
        project.ok(&["batch-build", "run"]);
        batches.push(project.database().query_row(
            "SELECT batch FROM submission ORDER BY id DESC LIMIT 1",
            [],
            |row| row.get::<_, String>(0),
        ));
    }
    let [first, second] = [0, 1].map(|at| batches[at].as_ref().unwrap().clone());
    let database = project.database();
    // As after two kills before the reply, when the list did not show the first batch yet.
    database
        .execute(
            "UPDATE submission SET state = 'unclear', batch = NULL, requests = 1,
             newest = CASE WHEN batch = ?1 THEN ?1 ELSE newest END WHERE batch IN (?1, ?2)",
            [&first, &second],
        )
        .unwrap();
    drop(database);
    project.script(immediate_batches());
    project.ok(&RESUME);
    let executed = project.ledger().executed;
    let rows_of = |batch: &str| {
        let rows = executed.iter().filter(|row| row.endpoint.as_ref() == batch);
        rows.map(|row| row.custom_id.clone()).collect::<Vec<_>>()
    };
    for id in rows_of(&second) {
        let times = executed.iter().filter(|row| row.custom_id == id).count();
        assert_eq!(times, 1, "{id:?}");
    }
    assert!(!rows_of(&second).is_empty());
}
