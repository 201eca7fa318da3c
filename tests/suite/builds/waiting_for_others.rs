//! A command waits for requests that another command has in flight, and cannot change a running build.

use synix_scripted_provider::{Endpoint, Ledger, Mode as Only, Reply, Rule, Script};

use crate::builds::concurrent_commands::run_concurrently;
use crate::support::costs::unclear_attempts;
use crate::support::invocation::Run;
use crate::support::pipelines::{BATCH_BUILD, RESUME};
use crate::support::processes::{read_until, wait_for_output};
use crate::support::test_project::{TestProject, text};

/// Starts a command whose 3 calls the script holds, and another one, has the replies sent once the second command waits
/// for them, and returns the outputs.
fn run_waiting_for_another(project: &TestProject, commands: [&[&str]; 2]) -> [Run; 2] {
    let mut first = project.start(commands[0]);
    project.wait_for(&mut first, |ledger| ledger.calls(Endpoint::Chat) == 3);
    let mut second = project.start(commands[1]);
    read_until(
        &mut second,
        "waiting for 3 requests that another process has in flight",
    );
    project.script(Script::new());
    [first, second].map(wait_for_output)
}

/// U1: no process drives a batch that was submitted and left.
#[test]
fn a_submitted_batch_is_not_reported_as_another_process() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    // In the meantime, a new layer sends sync calls.
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write(
        "synix.toml",
        &format!(
            "{pipeline}\n[layers.moods]\ntransform = \"map\"\ninputs = [\"bios\"]\nbatch = false\n\
             [layers.moods.config]\nprompt = \"Which mood? {{{{ content }}}}\"\n"
        ),
    );
    let run = project.run(&["build", "--no-wait"]).expect_code(4);
    assert!(
        run.says("waiting for 3 requests that are in batches at their providers"),
        "{run:?}"
    );
    assert!(!run.says("another process"), "{run:?}");
    assert!(!run.says("may have been billed"), "{run:?}");
    project.provider.finish_batches();
    project.ok(&BATCH_BUILD);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (7, 0)
    );
    assert_eq!(unclear_attempts(&project), 0);
}

/// U1
#[test]
fn two_batch_builds_share_one_batch() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.ok(&["batch-build", "run"]);
    let ledger = project.ledger();
    assert_eq!((ledger.batches.len(), ledger.pending.len()), (1, 3));
    project.provider.finish_batches();
    let runs = run_concurrently(
        &project,
        &[
            (0, &RESUME),
            (0, &["batch-build", "run"]),
            (0, &BATCH_BUILD),
        ],
    );
    assert_eq!(runs[2].code, 0, "{runs:?}");
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// U1: the message names the other process.
#[test]
fn calls_of_another_process_are_waited_for() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    for run in run_waiting_for_another(&project, [&["build"], &["build"]]) {
        run.expect_code(0);
    }
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// M4: only the calls of the killed process may be billed twice.
#[test]
fn a_waiting_process_repeats_the_calls_of_a_killed_one() {
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = TestProject::team();
        let slow = Rule::any().only(Only::Sync).times(3).held();
        project.script(Script::new().rule(slow));
        let mut killed = project.start(&["build"]);
        project.wait_for(&mut killed, |ledger| ledger.calls(Endpoint::Chat) == 3);
        let waiting = project.start(command);
        // It looks up requests in flight before it waits.
        let opened = |ledger: &Ledger| ledger.calls(Endpoint::Chat) == 3;
        assert!(opened(&project.ledger()));
        while count_builds(&project) < 2 {
            std::thread::yield_now();
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        let run = wait_for_output(waiting);
        assert_eq!(run.code, 0, "{command:?}: {run:?}");
        assert!(run.says("3 requests of an earlier process"), "{run:?}");
        assert_eq!(unclear_attempts(&project), 3, "{command:?}");
        assert_eq!(project.ledger().duplicates().len(), 3, "{command:?}");
        assert_eq!(project.artifact_names().len(), 7, "{command:?}");
    }
}

/// The number of builds in the state.
fn count_builds(project: &TestProject) -> i64 {
    let count = project
        .database()
        .query_row("SELECT count(*) FROM build", [], |row| row.get(0));
    count.unwrap()
}

/// While a process drives a build, no other command can resume, cancel or clean it.
#[test]
fn other_commands_cannot_change_a_running_build() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    let mut child = project.start(&["build"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 3);
    for command in [
        &["batch-build", "resume", "build-1"][..],
        &["batch-build", "cancel", "build-1"],
        &["clean"],
        &["gc", "--older-than", "0s", "--answers"],
    ] {
        let run = project.run(command).expect_code(5);
        assert!(
            run.says("another process drives build-1"),
            "{command:?}: {run:?}"
        );
    }
    for command in [&["plan"][..], &["runs"], &["batch-build", "list"]] {
        project.ok(command);
    }
    let runs = project.json(&["runs"]);
    assert_eq!(text(&runs["builds"][0]["status"]), "collecting");
    // A plan does not count requests in flight.
    assert_eq!(project.json(&["plan"])["layers"][1]["requests"], 0);
    assert_eq!(unclear_attempts(&project), 0);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// DESIGN 1
#[test]
fn concurrent_commands_pay_for_a_useless_answer_once() {
    for commands in [[&["build"][..], &["build"]], [&["build"], &BATCH_BUILD]] {
        let project = TestProject::team();
        let refusal = Reply::Refusal("I would rather not.".to_owned());
        project.script(Script::new().rule(Rule::on("I am").reply(refusal).held()));
        for run in run_waiting_for_another(&project, commands) {
            let run = run.expect_code(3);
            assert!(run.says("failed (refused)"), "{run:?}");
        }
        assert_eq!(
            (project.sent(), project.ledger().duplicates().len()),
            (3, 0)
        );
    }
}
