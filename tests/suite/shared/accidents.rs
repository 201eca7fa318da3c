//! Kills, stores that are away, and damaged objects.

use std::fs;

use super::scenarios;
use crate::support::crashes::{assert_only_unclear_calls_paid_twice, was_killed};
use crate::support::pipelines::{BATCH_BUILD, RESUME};
use crate::support::team::{Team, ok};

/// L12: a holder that was killed holds up the others for one lease.
#[cfg(unix)]
#[test]
fn a_killed_holder_is_replaced_after_its_lease() {
    scenarios::killed_holder_is_replaced(&Team::in_folder);
}

/// A batch goes on without a process: others wait for it, and its owner publishes the answers.
#[test]
fn the_claims_of_a_batch_outlive_its_command() {
    scenarios::claims_of_batch_outlive_command(&Team::in_folder);
}

#[test]
fn what_could_not_be_published_is_published_by_the_next_build() {
    let team = Team::new();
    fs::remove_dir(team.answers()).unwrap();
    let away = ok(&team.in_first(&["build"]));
    let says = away
        .stderr
        .matches("the build continues without them")
        .count();
    assert_eq!(says, 1, "{away:?}");
    let status = team.in_first(&["shared", "status", "--json"]).run().json();
    assert_eq!(
        (&status["reachable"], &status["unpublished"]),
        (&false.into(), &4.into())
    );
    fs::create_dir(team.answers()).unwrap();
    let sent = team.first.sent();
    ok(&team.in_first(&["build"]));
    assert_eq!(team.store().paths("answers").len(), 4);
    ok(&team.in_second(&["build"]));
    assert_eq!(team.first.sent(), sent);
}

#[test]
fn a_damaged_answer_is_reported_and_not_used() {
    scenarios::damaged_answer_is_not_used(&Team::in_folder);
}

/// The crash points of a command between two that are tried.
const STRIDE: u64 = 7;

/// Kills a command at crash points until it ends without a kill. Returns the number of kills.
///
/// The next command of the project, and then the other project, must neither pay twice nor wait for a claim of the dead
/// process: with `--no-wait`, that would be an error.
fn kill_everywhere(killed: &[&str], next: &[&[&str]]) -> u64 {
    let mut kills = 0;
    loop {
        let fatal = 1 + kills * STRIDE;
        let context = format!("{killed:?} at point {fatal}");
        let team = Team::new();
        let mut command = team.in_first(killed).process();
        command.env("SYNIX_CRASH_AT", fatal.to_string());
        if !was_killed(command.output().unwrap().status) {
            return kills;
        }
        kills += 1;
        // Depending on the point, there is no build to resume.
        for next in next {
            team.in_first(next).run();
        }
        for command in [team.in_first(&WITHOUT_WAIT), team.in_second(&WITHOUT_WAIT)] {
            let run = command.run();
            assert_eq!(run.code, 0, "{context}: {run:?}");
        }
        assert_only_unclear_calls_paid_twice(&team.first, &context);
        team.assert_equal_artifacts();
        // The heartbeat of a killed process is left for `shared gc`.
        assert!(team.store().paths("claims").is_empty(), "{context}");
    }
}

const WITHOUT_WAIT: [&str; 2] = ["build", "--no-wait"];

/// M1: a sync build that is killed at any point leaves nothing that the next command does not settle at once.
#[test]
fn a_build_that_is_killed_at_any_point_pays_once_and_holds_up_nobody() {
    let kills = kill_everywhere(&["build"], &[]);
    assert!(kills > 5, "only {kills} kills");
}

/// M1: the claims of a batch need no live holder, so nobody else would ever take them for dead.
#[test]
fn a_batch_build_that_is_killed_at_any_point_pays_once_and_holds_up_nobody() {
    let resume = [&RESUME[..], &["--poll-timeout", "20s"]].concat();
    let again = [&BATCH_BUILD[..], &["--poll-timeout", "20s"]].concat();
    let kills = kill_everywhere(&BATCH_BUILD, &[&resume, &again]);
    assert!(kills > 10, "only {kills} kills");
}
