//! The snapshot of a trial has a name, and nothing takes it for the newest one.

use crate::support::test_project::{TestProject, text};
use crate::trials::{add_note, exact_requests, facts_project, names_in};

fn main_and_trial() -> TestProject {
    let project = facts_project(6);
    project.ok(&["build"]);
    project.ok(&[
        "build",
        "--limit",
        "2",
        "--set",
        "layers.facts.config.prompt=Other facts of {{ content }}",
        "--trial",
        "warm",
    ]);
    project
}

#[test]
fn no_command_takes_a_trial_for_the_newest_snapshot() {
    let project = facts_project(6);
    project.ok(&["build"]);
    let before: Vec<_> = reading(&project);
    project.ok(&[
        "build",
        "--limit",
        "2",
        "--set",
        "models.default.temperature=1",
    ]);
    assert_eq!(reading(&project), before);
    // A trial that fails is not the last build of the pipeline either.
    project.run(&[
        "build",
        "--limit",
        "2",
        "--set",
        "models.default.model=other",
        "--budget",
        "0",
    ]);
    assert_eq!(reading(&project), before);
}

/// Returns what commands say about the newest snapshot.
fn reading(project: &TestProject) -> Vec<String> {
    let commands: [&[&str]; 8] = [
        &["list"],
        &["show", "core"],
        &["lineage", "core", "--roots"],
        &["search", "something"],
        &["plan"],
        &["export", "facts"],
        &["diff", "@", "@"],
        &["status"],
    ];
    let runs = commands.map(|command| {
        let run = project.ok(command);
        // All builds have cost something, trials too.
        let lines = run.stdout.lines().filter(|line| !line.contains("cost"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    });
    runs.into()
}

#[test]
fn a_trial_is_read_by_its_name() {
    let project = main_and_trial();
    let snapshots = project.json(&["snapshots"]);
    let names: Vec<_> = snapshots["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(names, ["warm".into(), serde_json::Value::Null]);
    assert!(project.ok(&["snapshots"]).says("warm"));
    let by_name = names_in(&project, "warm");
    assert_eq!(by_name.len(), 2 + 2 + 1);
    assert_eq!(names_in(&project, "build-2"), by_name);
    assert_eq!(names_in(&project, "snapshot-2"), by_name);
    for command in [
        &["show", "core", "--snapshot", "warm"][..],
        &["lineage", "core", "--snapshot", "warm"],
        &["search", "something", "--snapshot", "warm"],
        &["export", "facts", "--snapshot", "warm"],
    ] {
        project.ok(command);
    }
    let run = project.run(&["list", "--snapshot", "wram"]);
    assert!(run.code == 2 && run.says("did you mean `warm`?"), "{run:?}");
}

#[test]
fn a_later_trial_of_the_same_name_replaces_the_earlier_one() {
    let project = main_and_trial();
    project.ok(&["build", "--limit", "1", "--trial", "warm"]);
    assert_eq!(names_in(&project, "warm").len(), 3);
    let snapshots = project.json(&["snapshots"]);
    assert_eq!(snapshots["snapshots"].as_array().unwrap().len(), 2);
    let run = project.run(&["list", "--snapshot", "build-2"]);
    assert!(
        run.code == 2 && run.says("was replaced or deleted"),
        "{run:?}"
    );
    project.ok(&["build", "--limit", "1"]);
    project.ok(&["build", "--limit", "2"]);
    assert_eq!(names_in(&project, "trial-2").len(), 5);
}

/// What a trial leaves out is not removed, and what it makes otherwise is changed.
#[test]
fn a_trial_is_compared_with_the_whole() {
    let project = main_and_trial();
    let diff = project.json(&["diff", "@", "warm"]);
    assert_eq!(diff["removed"], serde_json::json!([]), "{diff}");
    assert_eq!(diff["added"], serde_json::json!([]));
    let changed: Vec<String> = diff["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}/{}", text(&one["layer"]), text(&one["label"])))
        .collect();
    assert_eq!(changed.len(), 3, "{diff}");
    assert!(changed.contains(&"core/core".to_owned()));
    let reasons = diff["changed"].as_array().unwrap().iter();
    let mut reasons = reasons.flat_map(|change| change["why"].as_array().unwrap());
    assert!(
        reasons.all(|why| why["reason"] != "input_removed"),
        "{diff}"
    );
    // 4 notes and 4 facts are not in the sample.
    assert_eq!(diff["outside"], 8);
    assert!(
        project
            .ok(&["diff", "@", "warm"])
            .says("8 artifacts not compared")
    );
    let back = project.json(&["diff", "warm", "@"]);
    assert_eq!(
        (&back["added"], &back["outside"]),
        (&diff["removed"], &diff["outside"])
    );

    // Without a sample, a missing artifact is one that was removed.
    project.ok(&[
        "build",
        "--set",
        "layers.notes.source=\"notes/00[1-4].md\"",
        "--trial",
        "four",
    ]);
    let diff = project.json(&["diff", "@", "four"]);
    assert_eq!(diff["removed"].as_array().unwrap().len(), 4, "{diff}");
    assert_eq!(diff["outside"], 0);
}

#[test]
fn gc_keeps_recent_trials_beside_the_snapshots_that_it_counts() {
    let project = facts_project(2);
    project.ok(&["build"]);
    add_note(&project, 3);
    project.ok(&["build"]);
    for _ in 0..3 {
        project.ok(&["build", "--limit", "1"]);
    }
    project.ok(&["gc", "--keep-snapshots", "2"]);
    assert_eq!(
        project.json(&["snapshots"])["snapshots"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    // Old trials are deleted, whatever the number of snapshots to keep.
    let mut later = project.command(&["gc", "--keep-snapshots", "2", "--older-than", "1d"]);
    later.env("SYNIX_CLOCK", "2099-01-01T00:00:00Z");
    later.run().expect_code(0);
    let left = project.json(&["snapshots"]);
    assert_eq!(left["snapshots"].as_array().unwrap().len(), 2, "{left}");
    assert_eq!(exact_requests(&project.json(&["plan"])), 0);
    // The answers are kept, so the trial costs nothing.
    let sent = project.sent();
    project.ok(&["clean"]);
    project.ok(&["build", "--limit", "1"]);
    assert_eq!(project.sent(), sent);
}
