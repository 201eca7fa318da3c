//! Ctrl-C and SIGTERM while a plugin runs: the command ends with its exit code, whatever the plugin does.
//!
//! The limits let the guest loop for 15 minutes, so a command that waited for it would not end within any test.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::Child;

use serde_json::Value;
use synix_scripted_provider::{Endpoint, Rule, Script};

use crate::support::costs::unclear_attempts;
use crate::support::pipelines::{BATCH_BUILD, guest_layers};
use crate::support::processes::{interrupt_before_replies, send_signal};
use crate::support::test_project::{TestProject, text};

const LIMITS: &str = "[layers.made.limits]\nfuel = 1_000_000_000_000\nwall_s = 900\n";

/// Processor time in hundredths of a second. A command that used as much is running a guest: everything else takes
/// less.
const GUEST_RUNS_AFTER: u64 = 50;

/// A project whose unit `dizzy` never ends. The answer for `calm` is stored and recorded.
fn project_with_endless_unit() -> TestProject {
    let project = TestProject::guest("moody", &[("calm", "a quiet day")]);
    let layers = format!("{}{LIMITS}", guest_layers("moody"));
    project.pipeline("synix.toml", &layers);
    project.ok(&["build", "--cassette-mode", "record"]);
    project.write("texts/dizzy.md", "spin");
    project
}

/// Returns the processor time that a process and all of its child processes have used.
fn processor_time(process: u32) -> u64 {
    let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else {
        return 0;
    };
    // The name before may contain blanks.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let own_time: u64 = [11, 12]
        .map(|at| fields[at].parse::<u64>().unwrap())
        .iter()
        .sum();
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let child_times = children
        .split_whitespace()
        .map(|id| processor_time(id.parse().unwrap()));
    own_time + child_times.sum::<u64>()
}

/// Waits until the command runs a guest, ends it with SIGTERM and returns its exit code, stdout and stderr.
fn terminate_while_guest_runs(mut child: Child) -> (i32, String, String) {
    while processor_time(child.id()) < GUEST_RUNS_AFTER {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended before: {ended:?}");
        std::thread::yield_now();
    }
    send_signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    let utf8 = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or(-1);
    (code, utf8(output.stdout), utf8(output.stderr))
}

fn start(project: &TestProject, arguments: &[&str]) -> Child {
    let mut command = project.command(arguments).process();
    command.stdout(std::process::Stdio::piped());
    command.stderr(std::process::Stdio::piped());
    command.spawn().unwrap()
}

/// The next build makes the interrupted unit, and nothing is paid twice.
#[test]
fn an_interrupted_unit_is_not_a_failure() {
    for command in [
        &["build"][..],
        &BATCH_BUILD,
        &["build", "--cassette-mode", "replay"],
    ] {
        let project = project_with_endless_unit();
        let (code, _, stderr) = terminate_while_guest_runs(start(&project, command));
        assert!(
            code == 1 && stderr.contains("interrupted"),
            "{command:?}: {code} {stderr}"
        );
        let status = project.json(&["batch-build", "status", "build-2"]);
        assert_eq!(
            status["failures"],
            Value::Array(Vec::new()),
            "{command:?}: {status}"
        );
        project.write("texts/dizzy.md", "awake again");
        project.ok(&["build"]);
        assert_eq!(
            (project.sent(), project.artifact_names().len()),
            (2, 4),
            "{command:?}"
        );
    }
}

/// `split` runs on the thread that drives the build.
#[test]
fn a_guest_can_be_interrupted_during_split() {
    let project = TestProject::guest("spin_split", &[("one", "x")]);
    let layers = format!("{}{LIMITS}", guest_layers("spin_split"));
    project.pipeline("synix.toml", &layers);
    let (code, _, stderr) = terminate_while_guest_runs(start(&project, &["build"]));
    assert!(
        code == 1 && stderr.contains("interrupted"),
        "{code} {stderr}"
    );
    let status = project.json(&["batch-build", "status", "build-1"]);
    assert_eq!(status["failures"], Value::Array(Vec::new()), "{status}");
}

/// M8: requests in flight are paid for, so their answers are waited for and stored, although the guests stop at once.
#[test]
fn an_interrupt_keeps_the_answers_of_requests_in_flight() {
    let project = project_with_endless_unit();
    project.write("texts/eager.md", "a sunny day");
    project.script(Script::new().rule(Rule::any().held()));
    let mut child = start(&project, &["build"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 2);
    let (code, stderr) = interrupt_before_replies(&project, child, "-TERM");
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.contains("waiting for the answers to 1 call"),
        "{stderr}"
    );
    assert!(!stderr.contains("may be billed"), "{stderr}");
    assert_eq!((project.sent(), unclear_attempts(&project)), (2, 0));
    project.remove("texts/dizzy.md");
    project.ok(&["build"]);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (2, 0)
    );
}

/// They end at once with an error.
#[test]
fn commands_that_store_nothing_can_be_interrupted_while_a_guest_runs() {
    let project = project_with_endless_unit();
    for arguments in [
        &["plan"][..],
        &["batch-build", "plan"],
        &["status"],
        &[
            "plugin",
            "run",
            "plugins/moody.wasm",
            "--input",
            "texts/dizzy.md",
        ],
        &[
            "plugin",
            "check",
            "plugins/moody.wasm",
            "--input",
            "texts/dizzy.md",
        ],
    ] {
        let (code, stdout, stderr) =
            terminate_while_guest_runs(start(&project, &[arguments, &["--json"]].concat()));
        let document: Value = serde_json::from_str(&stdout).unwrap();
        let kind = text(&document["error"]["kind"]);
        assert_eq!(
            (code, kind.as_str()),
            (1, "interrupted"),
            "{arguments:?}: {stderr}"
        );
    }
}

/// The copy of the project is deleted.
#[test]
fn an_interrupt_ends_a_demo_and_its_command() {
    let project = project_with_endless_unit();
    let scratch = tempfile::tempdir().unwrap();
    let mut command = project.command(&["demo", "run", "."]).process();
    command.env("TMPDIR", scratch.path());
    command.stdout(std::process::Stdio::piped());
    command.stderr(std::process::Stdio::piped());
    let (code, _, stderr) = terminate_while_guest_runs(command.spawn().unwrap());
    assert_eq!((code, stderr.as_str()), (1, "error: interrupted\n"));
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}
