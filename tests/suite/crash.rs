//! A build that is killed at any point can be resumed and pays for nothing twice.

use std::collections::BTreeSet;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::test_project::{BATCH_BUILD, RESUME, TestProject};

type Artifacts = BTreeSet<(String, String)>;

/// Threads that kill builds. Each has its own project and provider.
const THREADS: u64 = 2;

/// The artifacts of a build that is not killed.
fn artifacts_without_kills() -> Artifacts {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    project.artifacts()
}

/// Returns whether a command killed itself because of `SYNIX_CRASH_AT`.
#[cfg(unix)]
pub(crate) fn was_killed(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(9)
}

/// Windows has no signals; an aborted process ends with this code.
#[cfg(windows)]
pub(crate) fn was_killed(status: ExitStatus) -> bool {
    status.code() == Some(0xc000_0409_u32.cast_signed())
}

/// Kills the command at a crash point, and returns false if it ended before.
fn kill_at(project: &TestProject, command: &[&str], crash_at: u64) -> bool {
    let mut command = project.command(command).process();
    command.env("SYNIX_CRASH_AT", crash_at.to_string());
    let output = command.output().unwrap();
    let killed = was_killed(output.status);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        killed || output.status.success(),
        "point {crash_at}: {stderr}"
    );
    killed
}

/// Returns the number of requests that may have been billed without an answer, according to the state.
pub(crate) fn unclear_attempts(project: &TestProject) -> usize {
    let count =
        project
            .database()
            .query_row("SELECT count(*) FROM attempt WHERE state = 3", [], |row| {
                row.get::<_, i64>(0)
            });
    usize::try_from(count.unwrap()).unwrap()
}

/// Asserts that no answer of a batch is paid twice. A sync call may be repeated in a batch only if the state records it
/// as unclear.
pub(crate) fn assert_only_unclear_calls_paid_twice(project: &TestProject, context: &str) {
    let ledger = project.ledger();
    let duplicates = ledger.duplicates();
    let is_sync = |place: &str| matches!(place, "chat" | "messages");
    for duplicate in &duplicates {
        let in_batches = duplicate.places.iter().filter(|place| !is_sync(place));
        assert!(in_batches.count() <= 1, "{context}: {duplicate:?}");
    }
    assert_known_steps(project, context);
    let unclear = unclear_attempts(project);
    assert!(
        duplicates.len() <= unclear,
        "{context}: {duplicates:?}, {unclear} unclear"
    );
}

/// Asserts that every submission only took steps that `docs/batch.md` lists.
fn assert_known_steps(project: &TestProject, context: &str) {
    let documents = include_str!("../../docs/batch.md");
    let (_, table) = documents.split_once("| from | to |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let known: BTreeSet<(&str, &str)> = table
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?
                .strip_suffix(" |")?
                .split_once(" | ")
        })
        .flat_map(|(from, to)| to.split(", ").map(move |to| (from, to)))
        .collect();
    let database = project.database();
    let mut statement = database
        .prepare("SELECT submission, state FROM submission_step ORDER BY submission, id")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let steps: Vec<(i64, String)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    for pair in steps.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let step = (pair[0].1.as_str(), pair[1].1.as_str());
        assert!(known.contains(&step), "{context}: {step:?} is not listed");
    }
}

/// Kills the command at one crash point after another, until it ends by itself.
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
