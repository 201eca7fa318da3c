//! The interface of the command: exit codes, JSON, messages.

use crate::support::pipelines::{BATCH_BUILD, TEAM};
use crate::support::test_project::{TestProject, command_in};
use crate::support::transcript::assert_transcript;

/// C11: every command has a document with a schema version.
#[test]
fn every_command_prints_a_json_document() {
    let project = TestProject::team();
    let commands: [&[&str]; 19] = [
        &["plan"],
        &["batch-build", "plan"],
        &BATCH_BUILD,
        &["batch-build", "list"],
        &["batch-build", "status", "--latest"],
        &["build"],
        &["list"],
        &["list", "styles"],
        &["show", "summary"],
        &["show", "styles/ws-amara"],
        &["lineage", "summary"],
        &["runs"],
        &["builds"],
        &["status"],
        &["completions", "bash"],
        &["man"],
        &["init", "--list"],
        &["gc"],
        &["clean"],
    ];
    for arguments in commands {
        let run = project.ok(&[arguments, &["--json"]].concat());
        assert_eq!(run.json()["schema"], 1, "{arguments:?}");
    }
}

/// C6, C11: results are on stdout, errors on stderr.
#[test]
fn a_failing_command_writes_nothing_to_stdout() {
    let project = TestProject::team();
    let run = project.run(&["show", "nobody"]);
    assert_eq!((run.code != 0, run.stdout.as_str()), (true, ""), "{run:?}");
    assert!(!run.stderr.is_empty());
}

#[test]
fn output_to_a_pipe_has_no_colours_or_cursor_movements() {
    let project = TestProject::team();
    let run = project.ok(&["build"]);
    assert!(!run.says("\u{1b}"), "{run:?}");
}

#[test]
fn a_folder_without_a_pipeline_exits_2() {
    let folder = tempfile::tempdir().unwrap();
    let run = command_in(folder.path(), &["build"]).run().expect_code(2);
    assert_transcript!(run);
}

#[test]
fn a_pipeline_file_in_a_parent_folder_is_found() {
    let project = TestProject::team();
    command_in(&project.path("bios"), &["build"])
        .run()
        .expect_code(0);
    assert_eq!(project.artifact_names().len(), 7);
}

#[test]
fn a_misspelt_key_exits_2_with_its_line_and_the_nearest_key() {
    let project = TestProject::team();
    project.pipeline("synix.toml", &TEAM.replace("prompt_file", "promt_file"));
    let run = project.run(&["plan"]).expect_code(2);
    assert_transcript!(run);
}

#[test]
fn an_unknown_build_exits_2() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project
        .run(&["batch-build", "status", "build-99"])
        .expect_code(2);
    project
        .run(&["batch-build", "resume", "build-99"])
        .expect_code(2);
    project
        .run(&["batch-build", "status", "--latest"])
        .expect_code(2);
}

#[test]
fn an_ambiguous_label_exits_2_and_lists_the_candidates() {
    let project = TestProject::team();
    project.pipeline("synix.toml", &TEAM.replace("ws-{{ label }}", "{{ label }}"));
    project.ok(&["build"]);
    let run = project.run(&["show", "bela"]).expect_code(2);
    assert_transcript!(run);
}

#[test]
fn an_unknown_label_suggests_the_nearest() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let run = project.run(&["show", "sumary"]);
    assert_transcript!(run);
}

#[test]
fn a_missing_key_is_named() {
    let project = TestProject::with_layers(TEAM);
    project.write("prompts/style.md", "{{ content }}");
    project.write("bios/a.md", "I am a.");
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write(
        "synix.toml",
        &pipeline.replace(
            "batch = true\nlook_again",
            "api_key_env = \"TEAM_KEY\"\nbatch = true\nlook_again",
        ),
    );
    let run = project.run(&["build"]).expect_code(1);
    assert_transcript!(run);
    project.write(".env", "TEAM_KEY=from-the-file\n");
    project.ok(&["build"]);
}

#[test]
fn a_batch_without_a_batch_api_is_refused_before_anything_is_sent() {
    let project = TestProject::team();
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write(
        "synix.toml",
        &pipeline.replace("batch = true\nlook_again", "look_again"),
    );
    let run = project.run(&BATCH_BUILD).expect_code(2);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}

#[test]
fn a_lineage_includes_files_prompts_components_and_requests() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let lineage = project.json(&["lineage", "summary"]);
    let nodes = lineage["nodes"].as_array().unwrap();
    let count = |kind: &str| nodes.iter().filter(|node| node["type"] == kind).count();
    assert_eq!(
        ["artifact", "source_file", "file", "component", "request"].map(count),
        [7, 3, 1, 2, 4],
        "{lineage:#}"
    );
    let paths: Vec<_> = nodes
        .iter()
        .filter_map(|node| node["path"].as_str())
        .collect();
    assert!(
        paths.contains(&"bios/bela.md") && paths.contains(&"prompts/style.md"),
        "{paths:?}"
    );
    let ids: Vec<_> = nodes.iter().map(|node| &node["id"]).collect();
    let edges = lineage["edges"].as_array().unwrap();
    assert!(
        edges
            .iter()
            .all(|edge| ids.contains(&&edge["from"]) && ids.contains(&&edge["to"])),
        "{lineage:#}"
    );
}

#[test]
fn the_version_needs_no_project() {
    let folder = tempfile::tempdir().unwrap();
    let run = command_in(folder.path(), &["--version"])
        .run()
        .expect_code(0);
    assert_eq!(run.stdout, format!("synix {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn unknown_arguments_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["bild"][..],
        &["build", "--quickly"],
        &["batch-build", "run", "--poll-interval", "soon"],
    ] {
        command_in(folder.path(), arguments).run().expect_code(2);
    }
}
