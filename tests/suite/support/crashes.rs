//! Checks after a command was killed.

use std::collections::BTreeSet;
use std::process::ExitStatus;

use crate::support::costs::unclear_attempts;
use crate::support::test_project::TestProject;

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
pub(crate) fn kill_at(project: &TestProject, command: &[&str], crash_at: u64) -> bool {
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

/// Asserts that no answer of a batch is paid twice. A sync call may be repeated in a batch only if the state records it
/// as unclear.
pub(crate) fn assert_only_unclear_calls_paid_twice(project: &TestProject, context: &str) {
    let ledger = project.ledger();
    let duplicates = ledger.duplicates();
    let is_sync = |place: &str| matches!(place, "chat" | "embeddings" | "messages");
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
    let documents = include_str!("../../../docs/batch.md");
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
