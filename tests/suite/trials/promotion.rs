//! The settings of a trial in the pipeline file.

use std::fs;

use crate::support::test_project::{TestProject, text};
use crate::trials::{FACTS, exact_requests, facts_project, project_of};

fn file(project: &TestProject) -> String {
    fs::read_to_string(project.path("synix.toml")).unwrap()
}

#[test]
fn the_settings_of_a_trial_go_into_the_file_and_are_not_paid_again() {
    let project = facts_project(6);
    project.ok(&["build"]);
    let before = file(&project);
    let set = "layers.facts.config.prompt=Only names in {{ content }}";
    let warm = "models.default.temperature=0.9";
    project.ok(&[
        "build", "--limit", "2", "--set", set, "--set", warm, "--trial", "names",
    ]);
    assert_eq!(file(&project), before);
    let sent = project.sent();
    let promoted = project.json(&["promote", "names"]);
    let keys: Vec<String> = promoted["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| text(&change["key"]))
        .collect();
    assert_eq!(
        keys,
        ["layers.facts.config.prompt", "models.default.temperature"]
    );
    let expected = before
        .replace(
            "prompt = \"Facts of {{ label }}: {{ content }}\"  # short",
            "prompt = \"Only names in {{ content }}\"  # short",
        )
        .replace("temperature = 0.2", "temperature = 0.9");
    assert_eq!(file(&project), expected);
    // 4 facts and the summary of all remain.
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent + 5);
    // Again: there is nothing left to write.
    let again = project.json(&["promote", "names"]);
    assert_eq!(
        (&again["changes"], &again["unchanged"]),
        (&serde_json::json!([]), &2.into())
    );
    let note = "the files have its settings already";
    assert!(project.ok(&["promote", "names"]).says(note));
    assert_eq!(file(&project), expected);
}

#[test]
fn a_key_that_a_trial_removes_is_removed_from_the_file() {
    let project = facts_project(3);
    let before = file(&project);
    let unset = [
        "--limit",
        "1",
        "--unset",
        "models.default.temperature",
        "--trial",
        "t",
    ];
    project.ok(&[&["build"], &unset[..]].concat());
    assert_eq!(file(&project), before);
    let sent = project.sent();
    let promoted = project.json(&["promote", "t"]);
    assert_eq!(
        promoted["changes"],
        serde_json::json!([{
            "file": "synix.toml",
            "key": "models.default.temperature",
            "old": 0.2,
            "new": null,
        }])
    );
    assert_eq!(file(&project), before.replace("temperature = 0.2\n", ""));
    // 2 facts and the summary of all remain.
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent + 3);
    assert!(
        project
            .ok(&["promote", "t"])
            .says("the files have its settings already")
    );
    // The same trial anew names a key that is no longer there.
    let again = project.run(&[&["build"], &unset[..]].concat());
    assert!(
        again
            .expect_code(2)
            .says("there is no key `temperature` in [models.default]")
    );
    let both = [
        "--unset",
        "models.default",
        "--set",
        "models.default.max_tokens=5",
    ];
    let run = project.run(&[&["build"], &both[..]].concat());
    assert!(
        run.expect_code(2)
            .says("--unset models.default removes what another option changes")
    );
}

#[test]
fn a_prompt_goes_into_the_prompt_file_of_its_layer() {
    let layers = FACTS.replace(
        "prompt = \"Facts of {{ label }}: {{ content }}\"",
        "prompt_file = \"prompts/facts.md\"",
    );
    let project = project_of(&layers, 3);
    project.write("prompts/facts.md", "Old {{ content }}");
    project.write("new.md", "New {{ content }}\n");
    project.ok(&[
        "build",
        "--prompt-file",
        "facts=new.md",
        "--limit",
        "2",
        "--trial",
        "t",
    ]);
    let before = file(&project);
    project.ok(&["promote", "t"]);
    assert_eq!(file(&project), before);
    let prompt = fs::read_to_string(project.path("prompts/facts.md")).unwrap();
    assert_eq!(prompt, "New {{ content }}\n");
    let plan = project.json(&["plan", "--limit", "2"]);
    assert_eq!(
        exact_requests(&plan),
        0,
        "the trial is the same as the file"
    );
}

#[test]
fn a_value_that_changed_since_the_trial_is_a_conflict() {
    let project = facts_project(2);
    let warm = "models.default.temperature=0.9";
    project.ok(&["build", "--limit", "1", "--set", warm, "--trial", "t"]);
    let tried = file(&project);
    for changed in [
        tried.replace("temperature = 0.2", "temperature = 0.3"),
        tried.replace("[models.default]", "[models.cheap]"),
        tried.replace("temperature = 0.2", "temperature = 0.2\nmax = 1"),
        "x = [".to_owned(),
    ] {
        fs::write(project.path("synix.toml"), &changed).unwrap();
        let run = project.run(&["promote", "t"]);
        assert!(run.code == 5 || run.code == 2, "{run:?}");
        assert_eq!(file(&project), changed);
    }
    // Another change does not matter.
    let other = tried.replace("max_tokens = 100", "max_tokens = 150 # more");
    fs::write(project.path("synix.toml"), &other).unwrap();
    project.ok(&["promote", "t"]);
    assert_eq!(
        file(&project),
        other.replace("temperature = 0.2", "temperature = 0.9")
    );
}

#[test]
fn a_prompt_file_that_changed_or_is_shared_is_a_conflict() {
    let own = "prompt_file = \"prompts/facts.md\"";
    let layers = FACTS.replace("prompt = \"Facts of {{ label }}: {{ content }}\"", own);
    let more = "[layers.more]\ntransform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt_file = \"prompts/facts.md\"\n";
    for (layers, changes, message) in [
        (layers.clone(), true, "has changed since the trial"),
        (
            format!("{layers}{more}"),
            false,
            "is also the prompt of layer `more`",
        ),
    ] {
        let project = project_of(&layers, 1);
        project.write("prompts/facts.md", "Old {{ content }}");
        project.write("new.md", "New {{ content }}");
        project.ok(&["build", "--prompt-file", "facts=new.md", "--trial", "t"]);
        if changes {
            project.write("prompts/facts.md", "Edited {{ content }}");
        }
        let run = project.run(&["promote", "t"]);
        assert!(run.code == 5 && run.says(message), "{run:?}");
        let left = fs::read_to_string(project.path("prompts/facts.md")).unwrap();
        assert!(!left.starts_with("New"), "{left}");
    }
}

#[test]
fn an_unknown_trial_is_refused() {
    let project = facts_project(1);
    let run = project.run(&["promote", "t"]);
    assert_ne!(run.code, 0);
    project.ok(&["build", "--limit", "1", "--trial", "short"]);
    let error = project.run(&["promote", "shrot", "--json"]);
    assert_eq!(error.code, 2);
    assert_eq!(error.json()["error"]["kind"], "unknown_trial");
    assert!(error.says("did you mean `short`?"));
    assert!(
        project
            .ok(&["promote", "short"])
            .says("it changed no settings")
    );
}

/// A clone may come with a state whose trial sets the command that runs at the end of a build.
#[test]
fn nothing_of_a_state_from_somebody_else_is_promoted() {
    let project = facts_project(1);
    let set = "models.default.temperature=0.9";
    project.ok(&["build", "--limit", "1", "--set", set, "--trial", "t"]);
    let before = file(&project);
    let other_user = tempfile::tempdir().unwrap();
    for replays in [false, true] {
        let mut command = project.command(&["promote", "t", "--json"]);
        command.env("SYNIX_CONFIG_DIR", other_user.path());
        if replays {
            command.env("SYNIX_CASSETTE_MODE", "replay");
        }
        let run = command.run();
        assert_eq!(run.code, 5, "{run:?}");
        assert_eq!(run.json()["error"]["kind"], "untrusted");
    }
    assert_eq!(file(&project), before);
}
