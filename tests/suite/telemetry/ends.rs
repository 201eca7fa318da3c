//! What a receiver gets of builds that are interrupted or killed.

use std::process::{Child, Stdio};

use synix_scripted_provider::{Endpoint, Rule, Script};

use super::decoded::Decoded;
use super::receiver::{Behaviour, Receiver};
use super::reporting;
use crate::support::pipelines::{BATCH_BUILD, RESUME};
use crate::support::processes::interrupt_before_replies;
use crate::support::test_project::TestProject;

fn start(project: &TestProject, receiver: &Receiver, arguments: &[&str]) -> Child {
    let mut command = reporting(project, receiver, arguments).process();
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn an_interrupted_build_sends_what_has_settled() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    let receiver = Receiver::start();
    let mut child = start(&project, &receiver, &["build", "--concurrency", "2"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 2);
    let (code, stderr) = interrupt_before_replies(&project, child, "-INT");
    assert_eq!(code, 1, "{stderr}");
    let found = Decoded::of(&receiver);
    found.expect_one_trace();
    // The calls in flight were waited for; nothing else was sent.
    assert_eq!(found.named("chat ").len(), 2, "{stderr}");
    let build = found.named("synix build")[0];
    assert_eq!(
        (&build["attributes"]["synix.status"], &build["status"]),
        (&"interrupted".into(), &2.into())
    );
}

/// Ctrl-C ends the command although the receiver hangs.
#[test]
fn a_receiver_that_hangs_does_not_hold_an_interrupted_build() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    let receiver = Receiver::start();
    receiver.always(Behaviour::Silence);
    let mut child = start(&project, &receiver, &["build"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) > 0);
    // The variables of the test would let it wait for ten minutes.
    let (code, stderr) = interrupt_before_replies(&project, child, "-INT");
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("were not delivered"), "{stderr}");
}

#[test]
fn a_killed_batch_build_continues_its_trace_in_the_next_process() {
    let project = TestProject::team();
    project.pause_batches();
    let receiver = Receiver::start();
    let mut child = start(&project, &receiver, &BATCH_BUILD);
    project.wait_for(&mut child, |ledger| {
        ledger.calls(Endpoint::BatchesRetrieve) > 0
    });
    child.kill().unwrap();
    child.wait().unwrap();
    project.provider.finish_batches();
    reporting(&project, &receiver, &RESUME).run().expect_code(0);
    let found = Decoded::of(&receiver);
    found.expect_one_trace();
    assert_eq!(found.named("submission ").len(), 1);
    assert_eq!(found.named("chat ").len(), 4);
    // Batches outlive the kill, so nothing is unclear.
    let unclear = found.named("chat ").into_iter();
    assert_eq!(unclear.filter(|span| span["status"] == 2).count(), 0);
}

/// A process that finds calls of a dead one reports them as unclear, with the time at which they were sent.
#[test]
fn the_calls_of_a_killed_process_are_reported_by_the_next_one() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    let receiver = Receiver::start();
    let mut child = start(&project, &receiver, &["build"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    project.script(Script::new());
    let resume = ["resume", "build-1", "--poll", "--poll-interval", "0"];
    reporting(&project, &receiver, &resume).run().expect_code(0);
    let found = Decoded::of(&receiver);
    found.expect_one_trace();
    let unclear: Vec<_> = found
        .named("chat ")
        .into_iter()
        .filter(|span| span["attributes"]["error.type"] == "unclear")
        .collect();
    assert_eq!(unclear.len(), 3);
    for span in unclear {
        assert!(span["start"].as_u64() < span["end"].as_u64(), "{span}");
    }
}
