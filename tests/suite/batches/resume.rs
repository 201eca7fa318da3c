//! A batch build can be left, resumed, cancelled, killed and run beside another one.

use std::fs::{self, File};

use synix_scripted_provider::Endpoint;

use crate::batches::lost_creation::assert_made_once;
use crate::support::pipelines::{BATCH_BUILD, RESUME, TEAM};
use crate::support::test_project::{TestProject, text};
use crate::support::transcript::assert_transcript;

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

/// L1: `resume` polls the provider once even without `--poll`.
#[test]
fn resume_without_poll_collects_finished_batches() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.provider.finish_batches();
    project.ok(&["batch-build", "resume", "--latest"]);
    assert_eq!(
        (
            project.status()["status"].as_str(),
            project.artifact_names().len()
        ),
        (Some("completed"), 7)
    );
}

/// L2: the state stores the pipeline file of a build.
#[test]
fn resume_needs_no_pipeline_path() {
    let project = TestProject::team();
    project.pipeline("other.toml", TEAM);
    project.write(
        "synix.toml",
        "[pipeline]\nname = \"another\"\n[layers.bios]\nsource = \"bios/*.md\"\n",
    );
    project.pause_batches();
    project.ok(&["batch-build", "run", "other.toml"]);
    project.provider.finish_batches();
    project.ok(&RESUME);
    assert_eq!(project.status()["pipeline"], "other.toml");
    assert_eq!(project.sent(), 4);
}

/// L2: no file has the default name.
#[test]
fn a_project_whose_only_pipeline_has_another_name_can_be_resumed_and_read() {
    let project = TestProject::team();
    project.pipeline("other.toml", TEAM);
    project.remove("synix.toml");
    project.pause_batches();
    project.ok(&["batch-build", "run", "other.toml"]);
    project.provider.finish_batches();
    project.ok(&RESUME);
    assert_eq!(project.artifact_names().len(), 7);
}

/// L6: the error names the first process.
#[test]
fn a_second_process_that_drives_a_build_is_refused() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let path = project.path(".synix/locks/build-1");
    project.write(
        ".synix/locks/build-1",
        "process 4711 since 2026-01-01T00:00:00Z",
    );
    let lock = File::open(path).unwrap();
    lock.lock().unwrap();
    let run = project.run(&RESUME).expect_code(5);
    assert_transcript!(run);
}

/// L12
#[test]
fn independent_layers_are_in_flight_together() {
    let project = TestProject::team();
    let second = TEAM.replace("[layers.summary]", "[layers.moods]\ntransform = \"map\"\ninputs = [\"bios\"]\nmodel = \"cheap\"\nbatch = true\n[layers.moods.config]\nprompt = \"Which mood? {{ content }}\"\n\n[layers.summary]");
    project.pipeline("synix.toml", &second);
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    assert_eq!(project.ledger().pending.len(), 6);
}

/// L14, L15: the status of a build follows from its rows.
#[test]
fn a_finished_build_is_reported_as_completed() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let status = project.status();
    assert_eq!(status["status"], "completed");
    let batch = &status["batches"][0];
    assert_eq!(
        (&batch["requests"], &batch["succeeded"], &batch["failed"]),
        (&3.into(), &3.into(), &0.into())
    );
    assert_eq!(
        (batch["layer"].as_str(), batch["status"].as_str()),
        (Some("styles"), Some("completed"))
    );
}

#[test]
fn a_process_killed_while_polling_loses_nothing() {
    let project = TestProject::team();
    project.pause_batches();
    let mut child = project.start(&BATCH_BUILD);
    project.wait_for(&mut child, |ledger| {
        ledger.calls(Endpoint::BatchesRetrieve) > 2
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(project.status()["status"], "submitted");
    project.provider.finish_batches();
    project.ok(&RESUME);
    assert_eq!(
        (
            project.sent(),
            project.ledger().duplicates().len(),
            project.artifact_names().len()
        ),
        (4, 0, 7)
    );
}

#[test]
fn a_completed_build_cannot_be_resumed() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let run = project.run(&RESUME).expect_code(5);
    assert_transcript!(run);
}

#[test]
fn the_builds_are_listed_newest_first() {
    let project = TestProject::team();
    let first = text(&project.json(&BATCH_BUILD)["build"]);
    let second = text(&project.json(&BATCH_BUILD)["build"]);
    let listed = project.json(&["batch-build", "list"]);
    let builds: Vec<String> = listed["builds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|build| text(&build["build"]))
        .collect();
    assert_eq!(builds, [second, first]);
}

/// L6: the next process writes its own id into the lock.
#[test]
fn the_lock_of_a_dead_process_is_taken_over() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let lock = ".synix/locks/build-1";
    project.write(lock, "process 4711 since 2026-01-01T00:00:00Z");
    project.provider.finish_batches();
    project.ok(&RESUME);
    let holder = fs::read_to_string(project.path(lock)).unwrap();
    assert!(!holder.contains("4711"), "{holder}");
}
