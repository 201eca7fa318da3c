//! A build of embeddings that is killed, or loses a reply, pays for no text twice.

use synix_scripted_provider::{Endpoint, Fault, FaultKind, Script};

use super::{NAMES, project, vectors};
use crate::support::costs::unclear_attempts;
use crate::support::crashes::{assert_only_unclear_calls_paid_twice, kill_at};
use crate::support::pipelines::{BATCH_BUILD, RESUME};

#[test]
fn a_build_of_embeddings_survives_a_kill_at_every_point() {
    let expected = {
        let project = project();
        project.ok(&["build"]);
        vectors(&project)
    };
    for (command, resume) in [(&["build"][..], &["build"][..]), (&BATCH_BUILD, &RESUME)] {
        let mut crash_at = 1;
        loop {
            let project = project();
            if !kill_at(&project, command, crash_at) {
                break;
            }
            project.run(resume);
            let repeated = project.run(command);
            let context = format!("{command:?} killed at point {crash_at}");
            assert_eq!(repeated.code, 0, "{context}: {repeated:?}");
            assert_eq!(vectors(&project), expected, "{context}");
            assert_only_unclear_calls_paid_twice(&project, &context);
            crash_at += 1;
        }
        assert!(crash_at > 15, "only {crash_at} points");
    }
}

#[test]
fn each_text_of_a_lost_reply_is_unclear() {
    let project = project();
    project
        .script(Script::new().fault(Fault::on(Endpoint::Embeddings, FaultKind::LoseReply).once()));
    project.ok(&["build"]);
    assert_eq!(unclear_attempts(&project), NAMES.len());
    assert_eq!(project.ledger().executed.len(), 2 * NAMES.len());
    assert_only_unclear_calls_paid_twice(&project, "a lost reply");
}

/// A create call whose reply is lost is found again, and not repeated.
#[test]
fn a_lost_batch_of_embeddings_is_adopted() {
    let project = project();
    project.script(
        Script::new().fault(Fault::on(Endpoint::BatchesCreate, FaultKind::LoseReply).once()),
    );
    project.ok(&BATCH_BUILD);
    assert_eq!(project.sent(), NAMES.len());
    assert_eq!(project.ledger().duplicates(), []);
}
