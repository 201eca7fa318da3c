//! Polling of batches: errors, late files, progress, and `status --watch`.

use std::fs;

use synix_scripted_provider::{Endpoint, Fault, FaultKind, Pace, Script, StatusReply};

use crate::batches::lost_creation::assert_made_once;
use crate::support::pipelines::{BATCH_BUILD, RESUME};
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

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

/// A5: a truncated download is not parsed.
#[test]
fn a_truncated_download_is_repeated() {
    let project = TestProject::team();
    let fault = Fault::on(
        Endpoint::FilesContent,
        FaultKind::Truncate {
            drop: 40,
            hidden: true,
        },
    )
    .once();
    project.script(Script::new().fault(fault));
    project.ok(&BATCH_BUILD);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// A3: an output file may appear after the batch is completed.
#[test]
fn a_late_output_file_is_waited_for() {
    let project = TestProject::team();
    let late = Fault::on(Endpoint::BatchesCreate, FaultKind::OutputLate { polls: 2 }).once();
    let empty = Fault::on(Endpoint::BatchesCreate, FaultKind::EmptyErrorFileId).once();
    project.script(Script::new().fault(late).fault(empty));
    project.ok(&BATCH_BUILD);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// L3: in output to a pipe.
#[test]
fn each_change_of_a_batch_is_one_line() {
    let project = TestProject::team();
    let pace = Pace {
        validating: 3,
        ..Pace::default()
    };
    project.script(Script::new().batches(pace));
    let run = project.ok(&BATCH_BUILD);
    let batch = project.ledger().batches[0].id.to_string();
    for line in [
        format!("batch {batch}: submitted to openai, 3 requests of styles"),
        format!("batch {batch}: validating"),
        format!("batch {batch}: completed, 3 of 3 done"),
        format!("batch {batch}: 3 answered, 0 failed"),
    ] {
        assert_eq!(run.stderr.matches(&line).count(), 1, "{run:?}");
    }
}

/// L10
#[test]
fn polling_writes_nothing_while_nothing_changes() {
    let project = TestProject::team();
    project.pause_batches();
    let mut child = project.start(&BATCH_BUILD);
    let looks = |count| {
        move |ledger: &synix_scripted_provider::Ledger| {
            ledger.calls(Endpoint::BatchesRetrieve) > count
        }
    };
    let log = || fs::read(project.path(".synix/state.sqlite3-wal")).unwrap();
    project.wait_for(&mut child, looks(5));
    let before = log();
    project.wait_for(&mut child, looks(50));
    let same = log() == before;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(same, "the log grew");
}

/// L3: from another terminal, without a call to the provider.
#[test]
fn watch_follows_a_build_to_its_end() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let calls = project.ledger().calls(Endpoint::BatchesRetrieve);
    let watch = project.start(&[
        "batch-build",
        "status",
        "--watch",
        "--poll-interval",
        "0.01",
        "--exit-code",
    ]);
    assert_eq!(project.ledger().calls(Endpoint::BatchesRetrieve), calls);
    project.provider.finish_batches();
    project.ok(&RESUME);
    let output = watch.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("build-1: completed"), "{stderr}");
}

/// It prints one document.
#[test]
fn watch_exits_at_once_for_a_finished_build() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let status = project.json(&["batch-build", "status", "--watch"]);
    assert_eq!(status["status"], "completed");
}

/// L3: a timeout ends the wait, not the build.
#[test]
fn a_poll_timeout_leaves_the_build_submitted() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&[
        "batch-build",
        "run",
        "--poll",
        "--poll-interval",
        "0",
        "--poll-timeout",
        "0",
    ]);
    assert_eq!(project.status()["status"], "submitted");
    project
        .run(&["batch-build", "status", "--latest", "--exit-code"])
        .expect_code(4);
}

/// L5, L13: `--poll` continues until no request is left, whatever depends on what.
#[test]
fn polling_continues_through_dependent_requests() {
    let project = TestProject::guest("two_steps", &[("a", "one"), ("b", "two")]);
    project.ok(&BATCH_BUILD);
    assert_eq!(
        (
            project.ledger().batches.len(),
            project.artifact_names().len()
        ),
        (2, 4)
    );
}
