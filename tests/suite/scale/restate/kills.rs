//! Machines that are lost in the middle of a build.

use super::builds::questions;
use super::machines::{Machines, Process};
use super::twins::Twins;
use crate::support::processes::send_signal;

const UNITS: usize = 300;

/// A project that was built here, and whose build elsewhere is in the middle.
struct InTheMiddle {
    machines: Machines,
    workers: Vec<Process>,
    twins: Twins,
    build: Process,
    /// The requests that the build on this machine sent.
    sent: usize,
}

impl InTheMiddle {
    fn start() -> Option<Self> {
        let mut machines = Machines::start()?;
        let workers = vec![machines.start_worker(), machines.start_worker()];
        let twins = Twins::of(questions(UNITS));
        twins.here.ok(&["build"]);
        let sent = twins.here.sent();
        let mut build = twins.start(&machines, &["build"]);
        // A third of the answers is there: some units are done, some wait for their second answer, some have not run.
        let seen = sent + sent / 3;
        twins
            .here
            .wait_for(build.child(), |ledger| ledger.executed.len() >= seen);
        Some(Self {
            machines,
            workers,
            twins,
            build,
            sent,
        })
    }

    /// Asserts that the build ends as the local one did: nothing is missing, recorded twice or paid for twice.
    #[track_caller]
    fn assert_complete(mut self) {
        let (code, printed) = self.build.end();
        assert_eq!(code, Some(0), "{printed}");
        self.twins.assert_equal("made");
        assert_eq!(self.twins.here.sent(), 2 * self.sent, "{printed}");
        let database = self.twins.database();
        let count = |sql: &str| -> usize { database.query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(
            count("SELECT count(*) FROM unit WHERE layer = 'made'"),
            UNITS
        );
        let attempts = "SELECT count(*) FROM attempt";
        assert_eq!(count(attempts), self.sent);
    }
}

#[test]
fn a_killed_worker_loses_nothing() {
    let Some(mut running) = InTheMiddle::start() else {
        return;
    };
    running.workers[0].kill();
    running.assert_complete();
}

#[test]
fn a_killed_server_loses_nothing() {
    let Some(mut running) = InTheMiddle::start() else {
        return;
    };
    running.machines.server.kill();
    running.build.wait_for("waiting for the engine at");
    running.machines.restart_server();
    running.assert_complete();
}

#[test]
fn killed_workers_and_a_killed_server_lose_nothing() {
    let Some(mut running) = InTheMiddle::start() else {
        return;
    };
    for worker in &mut running.workers {
        worker.kill();
    }
    running.machines.server.kill();
    running.build.wait_for("waiting for the engine at");
    running.machines.restart_server();
    running.workers = vec![running.machines.start_worker()];
    running.assert_complete();
}

/// The next build continues: what is recorded is not sent again.
#[test]
fn a_killed_build_loses_nothing() {
    let Some(mut running) = InTheMiddle::start() else {
        return;
    };
    running.build.kill();
    let next = running.twins.elsewhere(&running.machines, &["build"]);
    next.run().expect_code(0);
    running.twins.assert_equal("made");
    let more = running.twins.here.sent() - 2 * running.sent;
    // Only a call that was in flight, and there are 16 at a time, can be repeated.
    assert!(more <= 16, "{more} requests were sent again");
}

#[test]
fn a_build_without_a_server_waits_and_ends_with_ctrl_c() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    machines.server.kill();
    let twins = Twins::of(questions(3));
    let mut build = twins.start(&machines, &["build"]);
    let line = build.wait_for("waiting for the engine at");
    assert!(line.contains("Connection refused"), "{line}");
    send_signal(build.child(), "-INT");
    let (code, printed) = build.end();
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("interrupted"), "{printed}");
    assert_eq!(twins.here.sent(), 0);
}

#[test]
fn a_build_without_a_worker_waits_for_one() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(questions(3));
    let mut build = twins.start(&machines, &["build"]);
    build.wait_for("waiting for the engine at");
    let _worker = machines.start_worker();
    let (code, printed) = build.end();
    assert_eq!(code, Some(0), "{printed}");
}

#[test]
fn a_worker_ends_with_a_signal() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let mut worker = machines.start_worker();
    send_signal(worker.child(), "-TERM");
    let (code, printed) = worker.end();
    assert_eq!(code, Some(0), "{printed}");
}
