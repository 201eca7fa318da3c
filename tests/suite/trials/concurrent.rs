//! Two terminals: trials of one name side by side, and `promote` beside a trial or another `promote`.

use std::fs;
use std::process::Child;

use crate::support::pipelines::BATCH_BUILD;
use crate::support::processes::wait_for_output;
use crate::support::test_project::{TestProject, text};
use crate::trials::{exact_requests, facts_project, labels_of, names_in};

const WARM: &str = "models.default.temperature=0.9";
const COLD: &str = "models.default.temperature=0.1";

fn temperature(project: &TestProject) -> String {
    let file = fs::read_to_string(project.path("synix.toml")).unwrap();
    let mut lines = file.lines();
    let line = lines.find(|line| line.starts_with("temperature"));
    line.unwrap().to_owned()
}

/// Starts a trial whose batch does not end before the test says so.
fn start_paused_trial(project: &TestProject) -> Child {
    project.pause_batches();
    let batch = "layers.facts.batch=true";
    let flags = [
        "--limit", "2", "--set", batch, "--set", WARM, "--trial", "t",
    ];
    let mut child = project.start(&[&BATCH_BUILD, &flags[..]].concat());
    project.wait_for(&mut child, |ledger| !ledger.pending.is_empty());
    child
}

#[test]
fn a_trial_is_refused_while_another_one_of_its_name_runs() {
    let project = facts_project(5);
    let child = start_paused_trial(&project);
    let same = ["build", "--limit", "1", "--set", COLD, "--trial", "t"];
    for command in [&same[..], &[&["try"], &same[1..]].concat()] {
        let run = project.run(command).expect_code(5);
        assert!(
            run.says("trial `t` runs now, as build-1 (process ")
                && run.says("a trial with another name can run beside it"),
            "{run:?}"
        );
    }
    let error = project.json(&same)["error"].take();
    assert_eq!(error["kind"], "busy", "{error}");
    // Nothing of the refused trials is on record, and another name is no problem.
    let other = ["build", "--select", "core", "--limit", "1", "--set", COLD];
    project.ok(&other);
    let builds = project.json(&["builds"]);
    assert_eq!(builds["builds"].as_array().unwrap().len(), 2, "{builds}");
    project.provider.finish_batches();
    wait_for_output(child).expect_code(0);
    assert_eq!(labels_of(&names_in(&project, "t"), "facts").len(), 2);
    assert!(project.ledger().duplicates().is_empty());
    project.ok(&same);
}

/// Whichever ends last: the snapshot of a name and what is promoted under it are of one trial.
#[test]
fn trials_of_one_name_at_the_same_moment_leave_one_of_them() {
    for round in 0..4 {
        let project = facts_project(4);
        let command = |set| ["build", "--limit", "2", "--set", set, "--trial", "t"];
        let children = [WARM, COLD].map(|set| project.start(&command(set)));
        let runs = children.map(wait_for_output);
        assert!(
            runs.iter().all(|run| run.code == 0 || run.code == 5),
            "{runs:?}"
        );
        assert!(runs.iter().any(|run| run.code == 0), "{runs:?}");
        let tried = names_in(&project, "t");
        assert_eq!(labels_of(&tried, "facts").len(), 2, "{round}: {tried:?}");
        project.ok(&["promote", "t"]);
        let fresh = exact_requests(&project.json(&["plan", "--limit", "2"]));
        assert_eq!(fresh, 0, "{round}: what was promoted was tried");
        let digests = |flags: &[&str]| {
            let shown = project.json(&[&["show", "core/core"], flags].concat());
            text(&shown["id"])
        };
        project.ok(&["build", "--limit", "2", "--trial", "again"]);
        assert_eq!(
            digests(&["--snapshot", "t"]),
            digests(&["--snapshot", "again"]),
            "{round}"
        );
    }
}

#[test]
fn trials_without_a_name_at_the_same_moment_get_two_names() {
    let project = facts_project(4);
    let command = |set| ["build", "--limit", "2", "--set", set];
    let children = [WARM, COLD].map(|set| project.start(&command(set)));
    for run in children.map(wait_for_output) {
        run.expect_code(0);
    }
    for name in ["trial-1", "trial-2"] {
        assert_eq!(labels_of(&names_in(&project, name), "facts").len(), 2);
    }
}

#[test]
fn a_trial_that_runs_is_not_promoted() {
    let project = facts_project(5);
    project.ok(&["build", "--limit", "1", "--set", COLD, "--trial", "t"]);
    let child = start_paused_trial(&project);
    let run = project.run(&["promote", "t"]).expect_code(5);
    assert!(run.says("trial `t` runs now, as build-2"), "{run:?}");
    assert_eq!(temperature(&project), "temperature = 0.2");
    project.provider.finish_batches();
    wait_for_output(child).expect_code(0);
    project.ok(&["promote", "t"]);
    assert_eq!(temperature(&project), "temperature = 0.9");
}

/// A trial that was stopped has other settings than the one that its name still shows.
#[test]
fn what_is_promoted_is_what_the_name_shows() {
    let project = facts_project(5);
    project.ok(&["build", "--limit", "1", "--set", COLD, "--trial", "t"]);
    let stopped = ["build", "--set", WARM, "--trial", "t", "--budget", "0"];
    project.run(&stopped).expect_code(5);
    let run = project.run(&["promote", "t"]).expect_code(5);
    assert!(
        run.says("build-2 is a later trial `t`") && run.says("its snapshot is that of build-1"),
        "{run:?}"
    );
    assert_eq!(temperature(&project), "temperature = 0.2");
    project.ok(&["batch-build", "cancel", "build-2"]);
    project.ok(&["promote", "t"]);
    assert_eq!(temperature(&project), "temperature = 0.1");
}

/// Each command reads the file, changes it and writes it. Neither loses what the other has written.
#[test]
fn two_promotions_at_the_same_moment_lose_no_setting() {
    let project = facts_project(3);
    for (name, set) in [("a", WARM), ("b", "models.default.max_tokens=150")] {
        project.ok(&["build", "--limit", "1", "--set", set, "--trial", name]);
    }
    let before = fs::read_to_string(project.path("synix.toml")).unwrap();
    for _ in 0..5 {
        project.write("synix.toml", &before);
        let children = ["a", "b"].map(|name| project.start(&["promote", name]));
        for (run, name) in children.map(wait_for_output).iter().zip(["a", "b"]) {
            if run.code != 0 {
                assert!(
                    run.code == 5 && run.says("another `promote` writes the files"),
                    "{run:?}"
                );
                project.ok(&["promote", name]);
            }
        }
        let both = before
            .replace("temperature = 0.2", "temperature = 0.9")
            .replace("max_tokens = 100", "max_tokens = 150");
        assert_eq!(
            fs::read_to_string(project.path("synix.toml")).unwrap(),
            both
        );
    }
}
