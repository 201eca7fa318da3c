//! A service, its server and its workers that are lost in the middle of a build.

use synix_scripted_provider::{Endpoint, Pace, Script};

use super::builds::questions;
use super::machines::{Machines, Process};
use super::service::of_project;
use super::twins::Twins;
use crate::support::test_project::{TestProject, command_in, text};

const UNITS: usize = 300;
/// The sync calls that may be in flight, and are lost with the service.
const IN_FLIGHT: usize = 16;

/// Submits a build, and waits until a third of the answers is there.
fn in_the_middle(machines: &Machines, twins: &Twins, service: &mut Process) -> (String, usize) {
    twins.here.ok(&["build"]);
    let sent = twins.here.sent();
    let submitted = machines.remote(&of_project(&["submit", "--json"])).run();
    let job = text(&submitted.expect_code(0).json()["job"]);
    let seen = sent + sent / 3;
    twins
        .here
        .wait_for(service.child(), |ledger| ledger.executed.len() >= seen);
    (job, sent)
}

#[track_caller]
fn assert_complete(twins: &Twins, sent: usize, kills: usize) {
    twins.assert_equal("made");
    let more = twins.here.sent() - 2 * sent;
    // Only a call that was in flight can be repeated.
    assert!(more <= kills * IN_FLIGHT, "{more} requests were sent again");
    let database = twins.database();
    let count = |sql: &str| -> usize { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(
        count("SELECT count(*) FROM unit WHERE layer = 'made'"),
        UNITS
    );
    assert_eq!(count("SELECT count(*) FROM build"), 1);
}

#[test]
fn a_killed_service_loses_nothing() {
    let Some(machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(questions(UNITS));
    let mut service = machines.start_service(twins.folder(), &[]);
    let (job, sent) = in_the_middle(&machines, &twins, &mut service);
    service.kill();
    let mut service = machines.start_service(twins.folder(), &[]);
    service.wait_for(&format!("{job}, build-1: completed"));
    assert_complete(&twins, sent, 1);
}

/// The service goes on with its turn. The server repeats the turn when it is back, and no second build comes of it.
#[test]
fn a_killed_server_loses_nothing() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(questions(UNITS));
    let mut service = machines.start_service(twins.folder(), &[]);
    let (job, sent) = in_the_middle(&machines, &twins, &mut service);
    machines.server.kill();
    service.wait_for(&format!("{job}, build-1: completed"));
    machines.restart_server();
    machines.wait_for_server();
    let ended = machines.remote(&of_project(&["submit", "--wait"])).run();
    // That one found everything fresh, and the first job has ended, too.
    assert!(ended.expect_code(0).says("build-2 completed"));
    let report = loop {
        let asked = machines.remote(&of_project(&["status", &job, "--remote", "--json"]));
        let report = asked.run().expect_code(0).json();
        if report["state"] == "ended" {
            break report;
        }
    };
    assert_eq!(
        (&report["build"], &report["exit_code"]),
        (&"build-1".into(), &0.into())
    );
    assert_eq!(twins.here.sent(), 2 * sent);
    twins.assert_equal("made");
}

#[test]
fn workers_a_service_and_a_server_that_are_killed_lose_nothing() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let mut workers = [machines.start_worker(), machines.start_worker()];
    let twins = Twins::of(questions(UNITS));
    let mut service = machines.start_service_with_workers(twins.folder());
    let (job, sent) = in_the_middle(&machines, &twins, &mut service);
    workers[0].kill();
    machines.server.kill();
    service.kill();
    workers[1].kill();
    machines.restart_server();
    let _worker = machines.start_worker();
    let mut service = machines.start_service_with_workers(twins.folder());
    service.wait_for(&format!("{job}, build-1: completed"));
    assert_complete(&twins, sent, 1);
}

/// Another job continues a build whose own job still waits. Neither opens another one.
#[test]
fn two_jobs_of_a_build_drive_one_build() {
    let Some(machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(TestProject::team());
    twins
        .here
        .script(Script::new().batches(Pace::in_progress(3)));
    let mut service = machines.start_service(twins.folder(), &[]);
    let submit = ["submit", "--batch", "--poll-interval", "4s", "--json"];
    let submitted = machines.remote(&of_project(&submit)).run().expect_code(0);
    let first = text(&submitted.json()["job"]);
    service.wait_for("build-1: submitted; continues at");
    let resume = ["resume", "1", "--remote", "--poll", "--poll-interval", "1s"];
    let resumed = machines.remote(&of_project(&resume)).run();
    assert!(resumed.expect_code(0).says("build-1 completed"));
    service.wait_for(&format!("{first}, build-1: completed"));
    let database = twins.database();
    let builds: usize = database
        .query_row("SELECT count(*) FROM build", [], |row| row.get(0))
        .unwrap();
    assert_eq!(builds, 1);
    assert!(twins.here.ledger().duplicates().is_empty());
}

/// The server measures the time between two polls, so a batch outlives the service and the server.
#[test]
fn a_batch_outlives_its_service_and_its_server() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(TestProject::team());
    // Many polls, so that the batch is in progress when everything is lost.
    let slow = Script::new().batches(Pace::in_progress(6));
    twins.here.script(slow);
    let mut service = machines.start_service(twins.folder(), &[]);
    let submit = ["submit", "--batch", "--poll-interval", "1s", "--json"];
    let submitted = machines.remote(&of_project(&submit)).run().expect_code(0);
    let job = text(&submitted.json()["job"]);
    service.wait_for("build-1: submitted; continues at");
    service.kill();
    machines.server.kill();
    machines.restart_server();
    let mut service = machines.start_service(twins.folder(), &[]);
    service.wait_for(&format!("{job}, build-1: completed"));
    let ledger = twins.here.ledger();
    assert!(ledger.duplicates().is_empty());
    assert_eq!(ledger.calls(Endpoint::BatchesCreate), 1);
    assert_eq!(twins.here.sent(), 4);
    twins.here.ok(&["build"]);
    let log = command_in(twins.folder(), &["builds", "show", "1", "--log"]).run();
    // A poll is no interruption.
    assert!(!log.expect_code(0).says("resumed"));
}
