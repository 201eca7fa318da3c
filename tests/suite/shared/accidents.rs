//! Kills, stores that are away, and damaged objects.

use std::fs;

use super::{Team, ids, ok};
use crate::support::crashes::{assert_only_unclear_calls_paid_twice, was_killed};
use crate::support::pipelines::{BATCH_BUILD, RESUME, notes_pipeline};
use crate::support::processes::send_signal;
use crate::support::test_project::TestProject;

/// L12: a holder that was killed holds up the others for one lease.
#[cfg(unix)]
#[test]
fn a_killed_holder_is_replaced_after_its_lease() {
    let project = TestProject::with_layers(concat!(
        notes_pipeline!(
            "[layers.facts]\ntransform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt = \"What? {{ content }}\"\n"
        ),
        "[shared]\nlease = 1\n"
    ));
    project.write("notes/one.md", "One.");
    let team = Team::of(project);
    let slow = synix_scripted_provider::Rule::any().delay_ms(600_000);
    team.first
        .script(synix_scripted_provider::Script::new().rule(slow));
    let mut holder = team.in_first(&["build"]).process().spawn().unwrap();
    let calls = |ledger: &synix_scripted_provider::Ledger| {
        ledger.calls(synix_scripted_provider::Endpoint::Chat) > 0
    };
    team.first.wait_for(&mut holder, calls);
    let waiting = team.in_second(&["build", "--no-wait"]).run();
    assert_eq!(waiting.code, 4, "{waiting:?}");
    let names_holder = format!("process-{}", holder.id());
    assert!(waiting.stderr.contains(&names_holder), "{waiting:?}");
    send_signal(&holder, "-KILL");
    holder.wait().unwrap();
    team.first.script(synix_scripted_provider::Script::new());
    ok(&team.in_second(&["build"]));
    // The owner gets the answer of the one that took over.
    let sent = team.first.sent();
    ok(&team.in_first(&["build"]));
    assert_eq!(team.first.sent(), sent);
    assert_eq!(
        ids(&team.artifacts_of_second()),
        ids(&team.artifacts_of_first())
    );
}

/// A batch goes on without a process: others wait for it, and its owner publishes the answers.
#[test]
fn the_claims_of_a_batch_outlive_its_command() {
    let team = Team::new();
    team.first.pause_batches();
    let left = team.in_first(&["batch-build", "run"]).run();
    assert!(left.code == 0 || left.code == 4, "{left:?}");
    let waiting = team.in_second(&["build", "--no-wait"]).run();
    assert_eq!(waiting.code, 4, "{waiting:?}");
    assert_eq!(team.first.sent(), 3);
    team.first.provider.finish_batches();
    team.first.script(synix_scripted_provider::Script::new());
    ok(&team.in_first(&RESUME));
    ok(&team.in_second(&BATCH_BUILD));
    assert_eq!(team.first.ledger().duplicates(), []);
    team.assert_nothing_claimed();
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
    assert_eq!(team.objects_in("answers").len(), 4);
    ok(&team.in_second(&["build"]));
    assert_eq!(team.first.sent(), sent);
}

#[test]
fn a_damaged_answer_is_reported_and_not_used() {
    let team = Team::new();
    ok(&team.in_first(&["build"]));
    let damaged = team.objects_in("answers").remove(0);
    let text = fs::read_to_string(&damaged).unwrap();
    let planted = text.replacen("\"text\":\"", "\"text\":\"planted ", 1);
    assert_ne!(planted, text);
    fs::write(&damaged, &planted).unwrap();
    let sent = team.first.sent();
    let second = ok(&team.in_second(&["build"]));
    assert!(
        second.stderr.contains("is damaged and is not used"),
        "{second:?}"
    );
    assert!(team.first.sent() > sent);
    let contents = team.in_second(&["export", "styles"]).run().stdout;
    assert!(!contents.contains("planted"), "{contents}");
    // It is never overwritten.
    assert_eq!(fs::read_to_string(&damaged).unwrap(), planted);
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
        assert_eq!(
            ids(&team.artifacts_of_second()),
            ids(&team.artifacts_of_first())
        );
        // The heartbeat of a killed process is left for `shared gc`.
        assert!(team.objects_in("claims").is_empty(), "{context}");
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
