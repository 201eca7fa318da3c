//! A kill between an answer and its repair.

use super::{TAGS, answers, notes};
use crate::support::crashes::{assert_only_unclear_calls_paid_twice, kill_at};
use crate::support::pipelines::{BATCH_BUILD, RESUME};

/// DESIGN 1: wherever a build is killed, also between an answer and its repair.
#[test]
fn a_build_that_repairs_survives_a_kill_at_every_point() {
    for (command, resume) in [(&["build"][..], &["build"][..]), (&BATCH_BUILD, &RESUME)] {
        let mut crash_at = 1;
        loop {
            let project = notes(TAGS);
            project.script(answers("no", r#"{"tags": ["rain"]}"#));
            if !kill_at(&project, command, crash_at) {
                break;
            }
            project.run(resume);
            let context = format!("{command:?} killed at point {crash_at}");
            let repeated = project.run(command);
            assert_eq!(repeated.code, 0, "{context}: {repeated:?}");
            assert_eq!(project.content("tagged/ann"), r#"{"tags": ["rain"]}"#);
            assert_only_unclear_calls_paid_twice(&project, &context);
            crash_at += 1;
        }
        assert!(crash_at > 15, "only {crash_at} points");
    }
}
