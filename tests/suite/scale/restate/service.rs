//! Builds that a service runs for other machines.

use std::fs;

use super::builds::questions;
use super::machines::Machines;
use super::twins::Twins;
use crate::support::processes::send_signal;
use crate::support::test_project::{TestProject, command_in, text};
use synix_scripted_provider::{Rule, Script};

/// The name of the project at the service: that of its pipeline.
pub(super) const PROJECT: [&str; 2] = ["--project", "suite"];

/// The arguments of a command that uses the service.
pub(super) fn of_project<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &PROJECT].concat()
}

#[test]
fn a_submitted_build_is_the_local_build() {
    let Some(machines) = Machines::start() else {
        return;
    };
    for arguments in [&["submit", "--wait"][..], &["submit", "--wait", "--batch"]] {
        let batch = arguments.contains(&"--batch");
        let twins = Twins::of(TestProject::team());
        twins.here.ok(if batch {
            &["build", "--batch", "--poll", "--poll-interval", "10ms"]
        } else {
            &["build"]
        });
        let sent = twins.here.sent();
        let mut service = machines.start_service(twins.folder(), &[]);
        let polling = [arguments, &["--poll-interval", "1s"]].concat();
        let run = machines.remote(&of_project(&polling)).run().expect_code(0);
        assert!(run.says("build-1 completed"), "{run:?}");
        assert_eq!(twins.here.sent(), 2 * sent);
        twins.assert_equal("summary");
        let status = machines.remote(&of_project(&["status", "build-1", "--remote", "--json"]));
        let status = status.run().json();
        let mut local = command_in(twins.folder(), &["status", "build-1", "--json"])
            .run()
            .json();
        assert_eq!(status, local);
        // The job names its build, here and there.
        let job = text(&status["job"]);
        local = command_in(twins.folder(), &["status", &job, "--json"])
            .run()
            .json();
        assert_eq!(status, local);
        send_signal(service.child(), "-TERM");
        let (code, printed) = service.end();
        assert_eq!(code, Some(0), "{printed}");
    }
}

/// What a client shows is what the machine of the service shows.
#[test]
fn a_client_shows_what_the_service_has() {
    let Some(machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(TestProject::team());
    let _service = machines.start_service(twins.folder(), &[]);
    let remote = |arguments: &[&str]| machines.remote(&of_project(arguments)).run();
    let submitted = remote(&["submit", "--json"]).expect_code(0).json();
    let job = text(&submitted["job"]);
    let followed = remote(&["logs", &job, "--follow"]).expect_code(0);
    let lines: Vec<&str> = followed.stdout.lines().collect();
    let mut unique = lines.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), lines.len(), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.ends_with("closed")),
        "{lines:#?}"
    );
    let here = |arguments: &[&str]| {
        command_in(twins.folder(), arguments)
            .run()
            .expect_code(0)
            .stdout
    };
    assert_eq!(
        remote(&["logs", "1"]).expect_code(0).stdout,
        here(&["builds", "show", "1", "--log"])
    );
    assert_eq!(
        remote(&["status", "--remote"]).expect_code(0).stdout,
        here(&["status"])
    );
    let shown = remote(&["status", &job, "--remote"]).expect_code(0);
    assert!(shown.says(&format!("suite {job}, build-1: ")), "{shown:?}");
}

#[test]
fn what_a_service_refuses_is_said_with_its_reason() {
    let Some(machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(TestProject::team());
    let _service = machines.start_service(twins.folder(), &["--max-budget", "0.000001"]);
    let remote = |arguments: &[&str]| machines.remote(arguments).run();
    let unknown = remote(&["submit", "--project", "other"]).expect_code(2);
    assert!(
        unknown.says("has no project \"other\"; it has suite"),
        "{unknown:?}"
    );
    let unknown = remote(&of_project(&["status", "build-7", "--remote"])).expect_code(2);
    assert!(
        unknown.says("there is no build") || unknown.says("no state"),
        "{unknown:?}"
    );
    let unknown = remote(&of_project(&["status", "job-0123456789ab", "--remote"])).expect_code(2);
    assert!(unknown.says("knows no job"), "{unknown:?}");
    // The limit of the service holds whatever a job asks for.
    let refused = remote(&of_project(&["submit", "--wait", "--budget", "5"])).expect_code(5);
    assert!(refused.says("budget"), "{refused:?}");
    assert_eq!(twins.here.sent(), 0);
    // A mistake in the pipeline is one for the machine of the service.
    let file = twins.folder().join("synix.toml");
    let valid = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        valid.replace("inputs = [\"bios\"]", "inputs = [\"boss\"]"),
    )
    .unwrap();
    let invalid = remote(&of_project(&["submit", "--wait"])).expect_code(2);
    assert!(invalid.says("boss"), "{invalid:?}");
    // A permission that only the user of that machine can grant.
    let command = valid.replace("[pipeline]", "[pipeline]\non_done = \"true\"");
    fs::write(&file, command).unwrap();
    let untrusted = remote(&of_project(&["submit", "--wait"])).expect_code(5);
    assert!(untrusted.says("needs your permission"), "{untrusted:?}");
    assert_eq!(twins.here.sent(), 0);
    let json = remote(&of_project(&["submit", "--wait", "--json"])).expect_code(5);
    assert_eq!(json.json()["error"]["kind"], "untrusted");
}

#[test]
fn a_client_without_a_server_or_a_name_says_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| command_in(folder.path(), arguments).run();
    let nothing = run(&["submit"]).expect_code(2);
    assert!(nothing.stderr.contains("--project"), "{nothing:?}");
    let nothing = run(&["submit", "--project", "notes"]).expect_code(2);
    assert!(nothing.stderr.contains("SYNIX_ENGINE"), "{nothing:?}");
    let away = ["--engine", "restate=http://127.0.0.1:9"];
    for command in [&["submit"][..], &["logs"], &["status", "--remote"]] {
        let arguments = [command, &["--project", "notes"], &away].concat();
        let away = run(&arguments).expect_code(1);
        assert!(away.stderr.contains("Connection refused"), "{away:?}");
    }
    let no_name = run(&["status", "--project", "notes"]).expect_code(2);
    assert!(no_name.stderr.contains("--remote"), "{no_name:?}");
}

/// The server keeps a job until there is a service, and a laptop need not wait for it.
#[test]
fn a_job_waits_for_its_service() {
    let Some(machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(TestProject::team());
    machines.wait_for_server();
    let none = machines
        .remote(&of_project(&["submit"]))
        .run()
        .expect_code(1);
    assert!(none.says("it knows no service"), "{none:?}");
    let mut service = machines.start_service(twins.folder(), &[]);
    service.kill();
    let submitted = machines.remote(&of_project(&["submit", "--json"])).run();
    let submitted = submitted.expect_code(0);
    assert!(submitted.stderr.contains("keeps the job"), "{submitted:?}");
    let job = text(&submitted.json()["job"]);
    let mut service = machines.start_service(twins.folder(), &[]);
    service.wait_for(&format!("suite {job}, build-1: completed"));
    assert_eq!(twins.here.sent(), 4);
}

/// A failed build is mended on the machine of the service, and continued from anywhere.
#[test]
fn a_stopped_build_is_resumed() {
    let Some(machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(TestProject::team());
    let refusal = Rule::on("Sum up").status(401);
    twins.here.script(Script::new().rule(refusal));
    let _service = machines.start_service(twins.folder(), &[]);
    let remote = |arguments: &[&str]| machines.remote(&of_project(arguments)).run();
    let failed = remote(&["submit", "--wait"]).expect_code(3);
    assert!(failed.says("build-1 completed with errors"), "{failed:?}");
    twins.here.script(Script::new());
    let resumed = remote(&["resume", "build-1", "--remote", "--poll"]).expect_code(0);
    assert!(resumed.says("build-1 completed"), "{resumed:?}");
    assert!(twins.here.ledger().duplicates().is_empty());
    let builds = command_in(twins.folder(), &["builds", "--json"])
        .run()
        .json();
    assert_eq!(builds["builds"].as_array().unwrap().len(), 1);
    let local = remote(&["resume", "build-1", "--remote", "--trust"]).expect_code(2);
    assert!(local.says("for the machine of the service"), "{local:?}");
}

/// Jobs that wait for their turn keep nobody from asking.
#[test]
fn a_service_answers_while_it_builds_as_much_as_it_may() {
    let Some(machines) = Machines::start() else {
        return;
    };
    let twins = Twins::of(questions(1000));
    twins.here.script(Script::new().latency_ms(20, 20));
    let mut service = machines.start_service(twins.folder(), &["--jobs", "1"]);
    let remote = |arguments: &[&str]| machines.remote(&of_project(arguments)).run();
    remote(&["submit"]).expect_code(0);
    twins
        .here
        .wait_for(service.child(), |ledger| ledger.executed.len() > 20);
    let second = remote(&["submit", "--json"]).expect_code(0).json();
    let second = text(&second["job"]);
    let waiting = remote(&["status", &second, "--remote", "--json"]).expect_code(0);
    assert_eq!(waiting.json()["state"], "begun");
    let log = remote(&["logs", "--json", "--limit", "10000"]).expect_code(0);
    assert_eq!(log.json()["build"], "build-1");
    remote(&["batch-build", "cancel", "1", "--remote"]).expect_code(0);
    // Its slot is free for the second job.
    twins.here.script(Script::new());
    service.wait_for(&format!("{second}, build-2: completed"));
    assert!(twins.here.ledger().duplicates().is_empty());
}

/// Whatever a job does, and wherever it waits, its user can end it.
#[test]
fn a_build_is_cancelled_while_it_runs_and_while_it_waits() {
    let Some(machines) = Machines::start() else {
        return;
    };
    let remote = |arguments: &[&str]| machines.remote(&of_project(arguments)).run();
    // While a turn runs: a thousand calls, a few at a time.
    let twins = Twins::of(questions(1000));
    twins.here.script(Script::new().latency_ms(20, 20));
    let mut service = machines.start_service(twins.folder(), &[]);
    remote(&["submit"]).expect_code(0);
    twins
        .here
        .wait_for(service.child(), |ledger| ledger.executed.len() > 20);
    let cancelled = remote(&["batch-build", "cancel", "--remote"]).expect_code(0);
    assert!(cancelled.says("build-1 cancelled"), "{cancelled:?}");
    let sent = twins.here.sent();
    assert!(sent < 1000, "{sent}");
    // What was in flight is on record.
    let counted: usize = twins
        .database()
        .query_row("SELECT count(*) FROM answer", [], |row| row.get(0))
        .unwrap();
    assert_eq!(counted, sent);
    service.wait_for("cancelled");
    service.kill();
    // While it waits for a batch, without a turn.
    let twins = Twins::of(TestProject::team());
    twins.here.pause_batches();
    let mut service = machines.start_service(twins.folder(), &[]);
    remote(&["submit", "--batch", "--poll-interval", "1h"]).expect_code(0);
    service.wait_for("build-1: submitted; continues at");
    let cancelled = remote(&["batch-build", "cancel", "1", "--remote"]).expect_code(0);
    assert!(cancelled.says("build-1"), "{cancelled:?}");
    let again = remote(&["batch-build", "cancel", "1", "--remote"]);
    assert!(again.code == 0 || again.code == 5, "{again:?}");
    assert_eq!(twins.here.sent(), 0);
}
