//! Trials that are killed, and trials beside another build.

use crate::support::crashes::{assert_only_unclear_calls_paid_twice, kill_at};
use crate::support::pipelines::RESUME;
use crate::trials::{facts_project, labels_of, names_in};

/// The crash points at which a trial is killed; the others are those of every build.
const POINTS: [u64; 8] = [3, 9, 14, 20, 27, 33, 40, 52];

#[test]
fn a_killed_trial_resumes_with_its_selection_and_its_settings() {
    let warm = "models.default.temperature=0.9";
    for point in POINTS {
        let project = facts_project(9);
        let command = ["build", "--limit", "2", "--set", warm, "--trial", "t"];
        if !kill_at(&project, &command, point) {
            continue;
        }
        let builds = project.json(&["builds"]);
        let context = format!("killed at point {point}");
        if builds["error"].is_null()
            && builds["builds"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        {
            let run = project.run(&["resume", "build-1"]);
            let has_ended = run.says("build-1 is completed");
            assert!(run.code == 0 || has_ended, "{context}: {run:?}");
        } else {
            project.ok(&command);
        }
        let names = names_in(&project, "t");
        assert_eq!(labels_of(&names, "facts").len(), 2, "{context}");
        assert_eq!(names.len(), 5, "{context}");
        assert_only_unclear_calls_paid_twice(&project, &context);
        // The same trial again: everything is there.
        let sent = project.sent();
        project.ok(&command);
        assert_eq!(project.sent(), sent, "{context}");
    }
}

#[test]
fn a_trial_in_batches_waits_and_resumes() {
    let project = facts_project(6);
    project.pause_batches();
    let batch = "layers.facts.batch=true";
    let flags = [
        "--select", "facts", "--limit", "2", "--set", batch, "--trial", "t",
    ];
    project.ok(&[&["batch-build", "run"], &flags[..]].concat());
    assert_eq!(project.sent(), 2);
    project.provider.finish_batches();
    project.ok(&RESUME);
    assert_eq!(labels_of(&names_in(&project, "t"), "facts").len(), 2);
    assert_eq!(project.sent(), 2);
}

/// Two terminals: what a batch of the whole has in flight is not asked again by a trial.
#[test]
fn a_trial_beside_a_build_of_the_whole_sends_nothing_twice() {
    let layers = crate::trials::FACTS.replace(
        "[layers.facts.config]",
        "batch = true\n[layers.facts.config]",
    );
    let project = crate::trials::project_of(&layers, 6);
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    assert_eq!(project.sent(), 6);
    let run = project.run(&["build", "--limit", "2", "--no-wait", "--trial", "t"]);
    assert_eq!(run.code, 4, "{run:?}");
    assert_eq!(project.sent(), 6);
    project.provider.finish_batches();
    project.ok(&["resume", "build-1", "--poll", "--poll-interval", "0"]);
    project.ok(&["resume", "build-2"]);
    // The summary of the whole and that of the sample.
    assert_eq!(project.sent(), 8);
    assert!(project.ledger().duplicates().is_empty());
    assert_eq!(names_in(&project, "t").len(), 5);
}
