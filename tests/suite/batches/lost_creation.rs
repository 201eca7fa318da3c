//! The reply to a create call is lost: the batch is found and adopted, and no second one is created.

use synix_scripted_provider::{Endpoint, Fault, FaultKind, Pace, Script, StatusReply};

use crate::support::pipelines::{BATCH_BUILD, RESUME, message_batch_project};
use crate::support::test_project::TestProject;

/// Asserts that each artifact was made once, through this number of batches.
#[track_caller]
pub(crate) fn assert_made_once(project: &TestProject, batches: usize) {
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

/// M1: an Anthropic batch carries no token, so no second batch is created after an unclear create call.
#[test]
fn an_unclear_message_batch_is_not_created_again() {
    let project = message_batch_project();
    project.script(
        Script::new().fault(Fault::on(Endpoint::MessageBatchesCreate, FaultKind::LoseReply).once()),
    );
    project.ok(&["batch-build", "run"]);
    project.ok(&["batch-build", "resume", "--latest"]);
    assert_eq!(project.ledger().calls(Endpoint::MessageBatchesCreate), 1);
}

/// M1: without a token, a batch of the right size is adopted, and its rows decide.
#[test]
fn a_lost_batch_without_a_token_is_adopted_by_its_rows() {
    let project = message_batch_project();
    project.script(
        Script::new().fault(Fault::on(Endpoint::MessageBatchesCreate, FaultKind::LoseReply).once()),
    );
    project.ok(&BATCH_BUILD);
    assert_eq!(project.ledger().duplicates(), []);
    assert_eq!(project.ledger().calls(Endpoint::MessageBatchesCreate), 1);
}

/// Creates a batch of another project with the same number of requests.
fn create_foreign_batch(project: &TestProject) {
    let other = message_batch_project();
    let url = project.provider.anthropic_url();
    let pipeline = std::fs::read_to_string(other.path("synix.toml")).unwrap();
    other.write(
        "synix.toml",
        &pipeline.replace(&other.provider.anthropic_url(), &url),
    );
    for name in ["amara", "bela", "chitra"] {
        other.write(&format!("bios/{name}.md"), &format!("I am another {name}."));
    }
    other.ok(&["batch-build", "run"]);
}

/// Loses the reply to a create call, and then finds two candidates for the batch.
fn project_with_two_candidates() -> TestProject {
    let project = message_batch_project();
    // The list cannot be read while the other project creates its batch.
    let lost = Fault::on(Endpoint::MessageBatchesCreate, FaultKind::LoseReply).once();
    let unread = Fault::on(Endpoint::MessageBatchesList, FaultKind::NotFound)
        .nth(2)
        .times(1 << 40);
    project.script(Script::new().fault(lost).fault(unread));
    project.ok(&["batch-build", "run"]);
    project.script(Script::new());
    create_foreign_batch(&project);
    project
}

/// DESIGN 8
#[test]
fn the_user_chooses_between_two_candidate_batches() {
    let project = project_with_two_candidates();
    let run = project.run(&RESUME).expect_code(5);
    let ours = project.ledger().batches[0].id.to_string();
    assert!(run.says(&ours) && run.says("--adopt"), "{run:?}");
    project.ok(&[&RESUME[..], &["--adopt", &ours]].concat());
    assert_eq!(project.ledger().duplicates(), []);
    assert_eq!(project.ledger().batches.len(), 2);
}

#[test]
fn an_adopted_batch_with_foreign_rows_is_released() {
    let project = project_with_two_candidates();
    let foreign = project.ledger().batches[1].id.to_string();
    project.ok(&[&RESUME[..], &["--adopt", &foreign]].concat());
    assert_eq!(project.ledger().duplicates(), []);
    assert_eq!(project.ledger().batches.len(), 2);
}

#[test]
fn create_again_creates_the_batch_again() {
    let project = project_with_two_candidates();
    project.ok(&[&RESUME[..], &["--create-again"]].concat());
    assert_eq!(project.ledger().batches.len(), 3);
}

/// M1: two create calls of equal size are lost. The first submission that searches adopts the batch of the other, which
/// must not be created again.
#[test]
fn a_batch_adopted_by_the_wrong_submission_is_not_created_again() {
    let project = message_batch_project();
    // Long enough for the other submission to poll its usual number of times.
    project.script(Script::new().batches(Pace::in_progress(30)));
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
    project.script(Script::new());
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
