//! A build that is killed at any point can be resumed and pays for nothing twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::support::costs::unclear_attempts;
use crate::support::crashes::{assert_only_unclear_calls_paid_twice, kill_at};
use crate::support::pipelines::{BATCH_BUILD, RESUME, notes_pipeline};
use crate::support::test_project::TestProject;

type Artifacts = BTreeSet<(String, String)>;

/// Threads that kill builds. Each has its own project and provider.
const THREADS: u64 = 2;

/// The artifacts of a build that is not killed.
fn artifacts_without_kills() -> Artifacts {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    project.artifacts()
}

/// Kills the command at one crash point after another, until it ends without a kill.
///
/// Returns the number of crash points and the number of requests that became unclear.
fn kill_everywhere(
    command: &'static [&'static str],
    resume: &'static [&'static str],
) -> (u64, usize) {
    let expected = artifacts_without_kills();
    let next = AtomicU64::new(1);
    let unclear = AtomicUsize::new(0);
    let worker = || {
        loop {
            let crash_at = next.fetch_add(1, Ordering::SeqCst);
            let project = TestProject::team();
            if !kill_at(&project, command, crash_at) {
                return crash_at;
            }
            // Depending on the crash point, there is no build, an open build or a finished one.
            project.run(resume);
            let repeated = project.run(command);
            let context = format!("killed at point {crash_at}");
            assert_eq!(repeated.code, 0, "{context}: {repeated:?}");
            assert_eq!(project.artifacts(), expected, "{context}");
            assert_only_unclear_calls_paid_twice(&project, &context);
            unclear.fetch_add(unclear_attempts(&project), Ordering::SeqCst);
        }
    };
    let end = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        let ends = workers.into_iter().map(|worker| worker.join().unwrap());
        ends.min().unwrap()
    });
    (end - 1, unclear.into_inner())
}

/// M1, M2: the crash points are before and after every write and every call.
#[test]
fn a_batch_build_survives_a_kill_at_every_point() {
    let (points, _) = kill_everywhere(&BATCH_BUILD, &RESUME);
    assert!(points > 40, "only {points} points");
}

/// M4
#[test]
fn a_sync_build_survives_a_kill_at_every_point() {
    let (points, unclear) = kill_everywhere(&["build"], &["build"]);
    assert!(points > 20, "only {points} points");
    // A killed process receives no answers, so its calls in flight are recorded as unclear.
    assert!(unclear > 0);
}

const FOLD: &str = notes_pipeline!(
    r#"[layers.story]
transform = "fold"
inputs = ["notes"]
config = { label = "story", prompt = "So far:\n{{ so_far }}\n\nNow:\n{{ content }}" }
"#
);

/// A fold of eight notes.
fn fold() -> TestProject {
    let project = TestProject::with_layers(FOLD);
    for number in 1..=8 {
        project.write(&format!("notes/day-{number}.md"), &format!("Day {number}."));
    }
    project
}

/// A fold of many steps is held in memory between them, and nothing but time may depend on that.
#[test]
fn a_fold_survives_a_kill_at_any_step() {
    let undisturbed = fold();
    undisturbed.ok(&["build"]);
    for fatal in (1..).step_by(3) {
        let project = fold();
        if !kill_at(&project, &["build"], fatal) {
            assert!(fatal > 8);
            return;
        }
        project.ok(&["build"]);
        assert_only_unclear_calls_paid_twice(&project, &format!("killed at point {fatal}"));
        assert_eq!(project.artifacts(), undisturbed.artifacts());
    }
}
