//! Fingerprints and request keys: what makes a layer stale and what does not.

use crate::support::pipelines::{BATCH_BUILD, MODES, Mode, RESUME, TEAM};
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

/// I1: the bytes of a prompt file are part of the fingerprint.
#[test]
fn a_new_prompt_sends_the_requests_of_its_layer_again() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.write(
        "prompts/style.md",
        "How does this person rest?\n\n{{ content }}",
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 8);
}

/// I1: the model is part of the fingerprint.
#[test]
fn a_new_model_sends_the_requests_of_its_layer_again() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.pipeline("synix.toml", &TEAM.replace("gpt-4o-mini", "gpt-4.1-nano"));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 8);
}

/// I1: a build is not continued by accident with another pipeline.
#[test]
fn resume_refuses_a_changed_pipeline() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.write(
        "prompts/style.md",
        "How does this person rest?\n\n{{ content }}",
    );
    let run = project.run(&RESUME).expect_code(5);
    assert_transcript!(run);
    project.provider.finish_batches();
    project.script(synix_scripted_provider::Script::new());
    project.ok(&[&RESUME[..], &["--allow-pipeline-mismatch"]].concat());
    assert_eq!(project.artifact_names().len(), 7);
}

/// I1: a user sets a new revision to get new answers.
#[test]
fn a_new_revision_sends_the_requests_of_its_layer_again() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.pipeline(
        "synix.toml",
        &TEAM.replace("batch = false\n", "batch = false\nrevision = \"2\"\n"),
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 5);
}

/// I2: nothing depends on the path of a project.
#[test]
fn a_moved_project_is_fresh() {
    let mut project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let artifacts = project.artifacts();
    project.move_elsewhere();
    project.ok(&["build"]);
    assert_eq!((project.sent(), project.artifacts()), (4, artifacts));
}

/// I2
#[test]
fn a_moved_project_can_be_resumed() {
    let mut project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project.move_elsewhere();
    project.provider.finish_batches();
    project.ok(&RESUME);
    assert_eq!((project.sent(), project.artifact_names().len()), (4, 7));
}

/// I6
#[test]
fn two_layers_with_the_same_requests_share_the_answers() {
    let twin = TEAM
        .replace("layers.styles", "layers.twins")
        .replace("ws-{{ label }}", "tw-{{ label }}");
    let (_, twin) = twin.split_once("[layers.twins]").unwrap();
    let (twin, _) = twin.split_once("[layers.summary]").unwrap();
    let layers = format!("{TEAM}\n[layers.twins]\n{twin}");
    for mode in MODES {
        let project = TestProject::team();
        project.pipeline("synix.toml", &layers);
        project.build_in(mode).expect_code(0);
        assert_eq!(
            (project.sent(), project.ledger().duplicates().len()),
            (4, 0),
            "{mode:?}"
        );
        assert_eq!(
            project.content("tw-bela"),
            project.content("ws-bela"),
            "{mode:?}"
        );
    }
}

/// I9: the error names both requests.
#[test]
fn a_unit_whose_requests_change_between_runs_fails() {
    let project = TestProject::guest("two_steps", &[("a", "one"), ("b", "two"), ("c", "three")]);
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let changed = project.database().execute(
        "UPDATE transcript SET request = (SELECT max(request) FROM transcript) \
         WHERE request = (SELECT min(request) FROM transcript)",
        [],
    );
    assert_eq!(changed, Ok(1));
    project.provider.finish_batches();
    project.script(synix_scripted_provider::Script::new());
    let run = project.run(&RESUME).expect_code(3);
    assert!(
        run.says("not deterministic") && run.says("was ") && run.says("now requests "),
        "{run:?}"
    );
    assert_eq!(
        project
            .artifact_names()
            .iter()
            .filter(|name| name.starts_with("made/"))
            .count(),
        2
    );
}

/// I11
#[test]
fn a_removed_source_leaves_no_artifact() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.remove("bios/bela.md");
    project.ok(&["build"]);
    let names = project.artifact_names();
    assert!(!names.iter().any(|name| name.contains("bela")), "{names:?}");
    assert_eq!(names.len(), 5);
}

/// I11
#[test]
fn a_removed_layer_leaves_no_artifact() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let (rest, _) = TEAM.split_once("[layers.summary]").unwrap();
    project.pipeline("synix.toml", rest);
    project.ok(&["build"]);
    assert_eq!((project.sent(), project.artifact_names().len()), (4, 6));
}

/// New code that sends the same requests and makes the same outputs costs nothing.
#[test]
fn a_refactored_plugin_sends_nothing() {
    let layers =
        crate::support::pipelines::guest_layers("map").replace("./plugins/map.wasm", "map");
    let config = "[layers.made.config]\nprompt = \"Say it again: {{ content }}\"\n";
    let project = TestProject::with_layers(&format!("{layers}{config}"));
    for name in ["a", "b"] {
        project.write(&format!("texts/{name}.md"), &format!("Text {name}"));
    }
    project.plugin("refactored_map");
    project.build_in(Mode::Sync).expect_code(0);
    let content = project.content("made/a");
    project.pipeline(
        "synix.toml",
        &format!(
            "{}{config}",
            crate::support::pipelines::guest_layers("refactored_map")
        ),
    );
    project.build_in(Mode::Batch).expect_code(0);
    assert_eq!((project.sent(), project.content("made/a")), (2, content));
}

/// An artifact with the same content leaves its dependants fresh.
#[test]
fn a_rewritten_source_with_the_same_bytes_is_fresh() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let text = std::fs::read_to_string(project.path("bios/bela.md")).unwrap();
    project.write("bios/bela.md", &text);
    let plan = project.json(&["plan"]);
    let stale: u64 = plan["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["stale"].as_u64().unwrap())
        .sum();
    assert_eq!(stale, 0, "{plan:#}");
}

/// I7: artifacts of another pipeline with the same layer and label are never used, neither from a cassette nor from the
/// state.
#[test]
fn two_pipelines_with_the_same_labels_share_nothing() {
    let project = TestProject::team();
    let other = TEAM.replace("prompts/style.md", "prompts/other.md");
    project.write("prompts/other.md", "What else?\n\n{{ content }}");
    project.pipeline("other.toml", &other);
    let content = |pipeline: &str, mode: &str| {
        project.ok(&["build", pipeline, "--cassette-mode", mode]);
        project.json(&["show", "styles/ws-bela", "--pipeline", pipeline])["content"].clone()
    };
    let recorded = ["synix.toml", "other.toml"].map(|pipeline| content(pipeline, "record"));
    assert_ne!(recorded[0], recorded[1]);
    let replayed = ["synix.toml", "other.toml"].map(|pipeline| content(pipeline, "replay"));
    assert_eq!(replayed, recorded);
}
