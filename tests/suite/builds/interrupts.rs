//! Interrupted and killed builds: what they report, keep and leave open.

use synix_scripted_provider::{Endpoint, Rule, Script};

use crate::support::costs::unclear_attempts;
use crate::support::pipelines::{BATCH_BUILD, RESUME};
use crate::support::processes::{
    interrupt_before_replies, read_until, send_signal, signal_and_wait,
};
use crate::support::test_project::{TestProject, text};

/// M8: the output names the commands to resume and to cancel.
#[test]
fn an_interrupted_batch_build_reports_its_live_batches() {
    for signal in ["-INT", "-TERM"] {
        let project = TestProject::team();
        project.pause_batches();
        let mut child = project.start(&BATCH_BUILD);
        project.wait_for(&mut child, |ledger| {
            ledger.calls(Endpoint::BatchesRetrieve) > 0
        });
        let batch = project.ledger().batches[0].id.to_string();
        let (code, stderr) = signal_and_wait(child, signal);
        assert_eq!(code, 1, "{signal}: {stderr}");
        for part in [
            &format!("batch {batch} continues at openai: 3 requests of styles"),
            "batch-build resume build-1",
            "batch-build cancel build-1",
        ] {
            assert!(stderr.contains(part), "{signal}: {stderr}");
        }
    }
}

/// M8
#[test]
fn an_interrupted_batch_build_can_be_resumed() {
    let project = TestProject::team();
    project.pause_batches();
    let mut child = project.start(&BATCH_BUILD);
    project.wait_for(&mut child, |ledger| {
        ledger.calls(Endpoint::BatchesRetrieve) > 0
    });
    signal_and_wait(child, "-TERM");
    assert_eq!(project.status()["status"], "submitted");
    project.provider.finish_batches();
    project.ok(&RESUME);
    assert_eq!((project.sent(), project.artifact_names().len()), (4, 7));
}

/// M8: calls in flight are paid for, so their answers are waited for and stored. Nothing new is sent.
#[test]
fn an_interrupted_build_waits_for_calls_in_flight() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    let mut child = project.start(&["build", "--concurrency", "2"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 2);
    let (code, stderr) = interrupt_before_replies(&project, child, "-INT");
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.contains("waiting for the answers to 2 calls"),
        "{stderr}"
    );
    assert!(!stderr.contains("may be billed"), "{stderr}");
    assert_eq!((project.sent(), unclear_attempts(&project)), (2, 0));
    project.ok(&["build"]);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// M8: the state records these calls as unclear at once.
#[test]
fn a_second_interrupt_reports_what_may_be_billed() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    let mut child = project.start(&["build"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 3);
    send_signal(&child, "-TERM");
    read_until(&mut child, "interrupt again");
    let (code, stderr) = signal_and_wait(child, "-TERM");
    assert!(
        code == 1 && stderr.contains("3 requests were in flight"),
        "{stderr}"
    );
    assert_eq!(unclear_attempts(&project), 3);
}

#[test]
fn a_killed_build_is_interrupted() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    let mut child = project.start(&["build"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 3);
    let status = || project.json(&["runs"])["builds"][0]["status"].clone();
    assert_eq!(status(), "collecting");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status(), "interrupted");
}

/// U10: it stays open for `resume` and `cancel` with its id.
#[test]
fn an_interrupted_build_is_reported_and_can_be_resumed() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    for number in 0..2 {
        let mut child = project.start(&["build"]);
        project.wait_for(&mut child, |ledger| {
            ledger.calls(Endpoint::Chat) == 3 * (number + 1)
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let status = |place: usize| text(&project.json(&["runs"])["builds"][place]["status"]);
    assert_eq!(
        (status(0), status(1)),
        ("interrupted".into(), "interrupted".into())
    );
    let shown = project.run(&["batch-build", "status", "build-2", "--exit-code"]);
    assert_eq!(shown.code, 1, "{shown:?}");
    assert!(shown.says("build-2 interrupted"), "{shown:?}");
    assert!(shown.says("continue with `synix build`"), "{shown:?}");
    project.script(Script::new());
    project.ok(&["build"]);
    project.ok(&["batch-build", "resume", "build-1"]);
    project.ok(&["batch-build", "cancel", "build-2"]);
    assert_eq!(
        (status(0), status(1), status(2)),
        ("completed".into(), "cancelled".into(), "completed".into())
    );
    assert_eq!(project.artifact_names().len(), 7);
}

/// M8: a file of 4 TiB takes at least half an hour to hash, so a command that waited for its digest would not end within
/// any test.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_does_not_wait_for_the_digest_of_a_large_file() {
    let rows = "[layers.rows]\nsource = \"in/*\"\nread = \"rows\"\nconfig.content = \"a\"\n";
    let project = TestProject::with_layers(rows);
    project.write("in/large.csv", "a\n");
    let large = std::fs::File::options()
        .write(true)
        .open(project.path("in/large.csv"));
    // A sparse file needs no space.
    large.unwrap().set_len(1 << 42).unwrap();
    let mut child = project.start(&["build"]);
    // Nothing else in the command reads that much.
    while bytes_read(child.id()) < 1 << 30 {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended before: {ended:?}");
        std::thread::yield_now();
    }
    let (code, stderr) = signal_and_wait(child, "-TERM");
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("run `synix build` to continue"), "{stderr}");
}

/// Returns the number of bytes that a process has read from files, cached or not.
#[cfg(target_os = "linux")]
fn bytes_read(process: u32) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.map_or(0, |count| count.parse().unwrap())
}
