//! Many batches at once: what fits, what waits, what is divided, and what is sent by sync calls.

use synix_scripted_provider::{Endpoint, Fault, FaultKind, Mode, Rule, Script};

use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::TestProject;

/// Six people with requests of about the same length.
fn six_people() -> TestProject {
    let project = TestProject::team();
    for name in ["dmitri", "elif", "farid"] {
        project.write(
            &format!("bios/{name}.md"),
            &format!("I am {name} and I write things down."),
        );
    }
    project
}

fn statuses(project: &TestProject) -> Vec<String> {
    let batches = project.ledger().batches;
    batches.into_iter().map(|batch| batch.status).collect()
}

#[track_caller]
fn assert_all_made_once(project: &TestProject, requests: usize) {
    assert_eq!(project.ledger().duplicates(), []);
    assert_eq!(project.sent(), requests);
}

fn validation_failure(code: &str, message: &str) -> FaultKind {
    FaultKind::FailValidation {
        code: code.to_owned(),
        message: message.to_owned(),
        param: None,
        line: None,
    }
}

/// L11: synix learns the limit on enqueued tokens when the provider refuses a batch.
#[test]
fn requests_over_the_providers_token_limit_are_sent_later() {
    let project = six_people();
    project.script(Script::new().enqueued_token_limit(40));
    project.ok(&BATCH_BUILD);
    assert_all_made_once(&project, 7);
    let statuses = statuses(&project);
    let completed = statuses.iter().filter(|status| *status == "completed");
    assert!(completed.count() > 1, "{statuses:?}");
    assert!(statuses.contains(&"failed".to_owned()), "{statuses:?}");
}

/// L11: a limit in the pipeline file applies from the start.
#[test]
fn enqueued_tokens_is_never_exceeded() {
    let project = six_people();
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let limited = pipeline.replacen("batch = true\n", "batch = true\nenqueued_tokens = 250\n", 1);
    project.write("synix.toml", &limited);
    project.ok(&BATCH_BUILD);
    assert_all_made_once(&project, 7);
    let statuses = statuses(&project);
    assert!(statuses.len() > 1, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| status == "completed"),
        "{statuses:?}"
    );
}

/// It is divided until the invalid line is alone.
#[test]
fn a_validation_failure_without_a_line_divides_the_batch() {
    let project = six_people();
    let fault = validation_failure("invalid_json_line", "A line is not valid.");
    project.script(Script::new().fault(Fault::on(Endpoint::BatchesCreate, fault).once()));
    project.ok(&BATCH_BUILD);
    assert_all_made_once(&project, 7);
    assert_eq!(statuses(&project), ["failed", "completed", "completed"]);
}

/// Both halves would fail in the same way.
#[test]
fn a_failure_of_the_whole_batch_does_not_divide_it() {
    let project = six_people();
    let fault = validation_failure("model_not_found", "The model does not exist.");
    project.script(Script::new().fault(Fault::on(Endpoint::BatchesCreate, fault)));
    let run = project.run(&BATCH_BUILD).expect_code(3);
    assert!(run.says("does not exist"), "{run:?}");
    assert_eq!(statuses(&project), ["failed"]);
}

/// L11: a batch can be smaller than the maximum of the provider.
#[test]
fn batch_requests_limits_the_rows_of_a_batch() {
    let project = six_people();
    limit_requests(&project, 4);
    project.ok(&BATCH_BUILD);
    let batches = project.ledger().batches;
    let mut rows: Vec<usize> = batches.iter().map(|batch| batch.rows).collect();
    rows.sort_unstable();
    assert_eq!(rows, [2, 4]);
    assert_all_made_once(&project, 7);
}

/// L12: a unit starts as soon as its own inputs are made.
#[test]
fn a_unit_does_not_wait_for_the_whole_upstream_layer() {
    let project = six_people();
    let title = r#"
[layers.titles]
transform = "map"
inputs = ["styles"]
model = "cheap"
batch = true
[layers.titles.config]
prompt = "A title for: {{ content }}"
"#;
    let layers = format!("{}{title}", crate::support::pipelines::TEAM);
    project.pipeline("synix.toml", &layers);
    limit_requests(&project, 3);
    project.pause_batches();
    let mut child = project.start(&BATCH_BUILD);
    project.wait_for(&mut child, |ledger| ledger.batches.len() == 2);
    project
        .provider
        .finish_batch(&project.ledger().batches[1].id);
    project.wait_for(&mut child, |ledger| ledger.batches.len() == 3);
    let ledger = project.ledger();
    let rows: Vec<usize> = ledger.batches.iter().map(|batch| batch.rows).collect();
    assert_eq!(rows, [3, 3, 3]);
    assert_ne!(ledger.batches[0].status, "completed");
    assert_eq!(ledger.calls(Endpoint::Messages), 0);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn limit_requests(project: &TestProject, max_requests: u32) {
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let limit = format!("batch = true\nbatch_requests = {max_requests}\n");
    project.write(
        "synix.toml",
        &pipeline.replacen("batch = true\n", &limit, 1),
    );
}

/// L16: it is not uploaded again.
#[test]
fn an_uploaded_file_that_is_not_visible_yet_is_reused() {
    let project = TestProject::team();
    let fault = validation_failure(
        "invalid_request",
        "Cannot find file file-1, or organization org-1 does not have access to it.",
    );
    project.script(Script::new().fault(Fault::on(Endpoint::BatchesCreate, fault).once()));
    project.ok(&BATCH_BUILD);
    assert_all_made_once(&project, 4);
    assert_eq!(project.ledger().calls(Endpoint::FilesUpload), 1);
}

/// L12: sync calls of one branch do not delay the batch of another one.
#[test]
fn independent_branches_do_not_wait_for_each_other() {
    let project = TestProject::team();
    let slow = r#"
[layers.slow]
transform = "map"
inputs = ["bios"]
batch = false
[layers.slow.config]
prompt = "Slowly: {{ content }}"
"#;
    let layers = format!("{}{slow}", crate::support::pipelines::TEAM);
    project.pipeline("synix.toml", &layers);
    project.script(Script::new().rule(Rule::on("Slowly").only(Mode::Sync).held()));
    let mut child = project.start(&BATCH_BUILD);
    project.wait_for(&mut child, |ledger| {
        ledger
            .batches
            .iter()
            .any(|batch| batch.status == "completed")
            && ledger.calls(Endpoint::Messages) == 4
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Answers of the batch are kept.
#[test]
fn sync_after_cancels_a_slow_batch_and_sends_sync_calls() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&[&BATCH_BUILD[..], &["--sync-after", "0s"]].concat());
    let ledger = project.ledger();
    assert_eq!(ledger.calls(Endpoint::BatchesCancel), 1);
    assert_eq!(ledger.calls(Endpoint::Chat), 3);
    assert_all_made_once(&project, 4);
}
