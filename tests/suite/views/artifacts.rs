//! Artifacts stay readable: after a failure, beside other pipelines, by id and by snapshot (U3, U4, U13).

use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::support::pipelines::TEAM;
use crate::support::test_project::{TestProject, command_in, text};
use crate::support::transcript::assert_transcript;

/// A script in which the requests with a text always fail.
fn script_that_refuses(text_in_request: &str) -> Script {
    Script::new().rule(Rule::on(text_in_request).reply(Reply::Status(StatusReply::new(400))))
}

/// A complete build, then one in which a changed note fails.
fn project_with_failed_unit() -> TestProject {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.write("bios/bela.md", "I am bela, and I changed.");
    project.script(script_that_refuses("I am bela, and I changed"));
    project.run(&["build"]).expect_code(3);
    project
}

/// U3: a failed unit removes nothing. The output names the build of the artifact and why it is stale.
#[test]
fn the_last_good_artifact_is_shown_after_a_failed_build() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let good = project.ok(&["show", "summary"]).stdout;
    project.write("bios/bela.md", "I am bela, and I changed.");
    project.script(script_that_refuses("I am bela, and I changed"));
    project.run(&["build"]).expect_code(3);
    let run = project.ok(&["show", "summary"]);
    assert_eq!(run.stdout, good);
    assert_transcript!(run);
    let shown = project.json(&["show", "ws-bela"]);
    assert_eq!(shown["build"], "build-1");
    assert_eq!(shown["stale"]["newest"], "build-2");
    assert_eq!(shown["stale"]["kind"], "invalid");
    assert_eq!(
        project.json(&["show", "ws-amara"])["stale"],
        serde_json::Value::Null
    );
    let lineage = project.json(&["lineage", "summary"]);
    assert_eq!(lineage["stale"]["kind"], "held_back");
}

/// U3
#[test]
fn a_list_marks_the_stale_artifacts_of_failed_units() {
    let project = project_with_failed_unit();
    let listed = project.json(&["list"]);
    assert_eq!(listed["build"], "build-2");
    let artifacts = listed["artifacts"].as_array().unwrap();
    assert_eq!(artifacts.len(), 7, "{listed:#}");
    let stale: Vec<_> = artifacts
        .iter()
        .filter(|one| !one["stale"].is_null())
        .map(|one| (text(&one["label"]), text(&one["build"])))
        .collect();
    let of_first = |label: &str| (label.to_owned(), "build-1".to_owned());
    assert_eq!(stale, [of_first("ws-bela"), of_first("summary")]);
    let run = project.ok(&["list", "summary"]);
    assert_transcript!(run);
    // After a successful build nothing is stale.
    project.script(Script::new());
    project.write("bios/bela.md", "I am bela, and I work again.");
    project.ok(&["build"]);
    let listed = project.json(&["list"]);
    assert!(
        listed["artifacts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["stale"].is_null()),
        "{listed:#}"
    );
}

/// U3: an artifact that the pipeline no longer makes is not a failure.
#[test]
fn a_removed_artifact_is_shown_by_name_and_not_listed() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.remove("bios/bela.md");
    project.ok(&["build"]);
    assert_eq!(project.artifact_names().len(), 5);
    assert_eq!(
        project.json(&["show", "ws-bela"])["stale"]["kind"],
        "removed"
    );
}

/// U3: `list` prints the ids.
#[test]
fn each_snapshot_and_each_id_can_be_read() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let before = project.json(&["list"]);
    let old = project.content("ws-bela");
    let id = before["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["label"] == "ws-bela")
        .map(|one| text(&one["id"]))
        .unwrap();
    project.write("bios/bela.md", "I am bela, and I changed.");
    project.script(Script::new().rule(Rule::on("I am bela, and I changed").text("Another style.")));
    project.ok(&["build"]);
    assert_eq!(project.content("ws-bela"), "Another style.");
    for snapshot in ["build-1", "@-1"] {
        let snapshot_flag = ["--snapshot", snapshot];
        let shown = project.json(&[&["show", "ws-bela"][..], &snapshot_flag].concat());
        assert_eq!(text(&shown["content"]), old);
        let listed = project.json(&[&["list"][..], &snapshot_flag].concat());
        assert_eq!(listed["artifacts"], before["artifacts"]);
        project.ok(&[&["lineage", "summary"][..], &snapshot_flag].concat());
    }
    for name in [id.as_str(), &id[..12]] {
        let shown = project.json(&["show", name]);
        assert_eq!(text(&shown["content"]), old);
        assert_eq!(shown["stale"]["kind"], "replaced");
    }
    assert_eq!(
        project.ok(&["show", "ws-be"]).stdout.trim_end(),
        "Another style."
    );
    for unknown in ["build-9", "@-2", "tuesday"] {
        let run = project.run(&["list", "--snapshot", unknown]).expect_code(2);
        assert!(
            run.says("there is no snapshot") && run.says("build-2, build-1"),
            "{run:?}"
        );
    }
}

/// Such a build has the snapshot of the build before it.
#[test]
fn a_build_without_changes_can_be_named_as_a_snapshot() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.ok(&["build"]);
    let listed = project.json(&["list", "--snapshot", "build-2"]);
    assert_eq!(listed["artifacts"].as_array().unwrap().len(), 7);
}

/// U4: views show the given pipeline, not the one that was built last.
#[test]
fn each_pipeline_shows_its_own_snapshot() {
    let project = TestProject::team();
    project.pipeline(
        "second.toml",
        &TEAM.replace("label = \"summary\"", "label = \"other\""),
    );
    project.ok(&["build"]);
    project.ok(&["build", "second.toml"]);
    for (pipeline, label) in [("synix.toml", "summary"), ("second.toml", "other")] {
        let listed = project.json(&["list", "summary", "--pipeline", pipeline]);
        assert_eq!(listed["artifacts"][0]["label"], label);
        assert_eq!(listed["pipeline"], pipeline);
        project.ok(&["show", label, "--pipeline", pipeline]);
        project.ok(&["lineage", label, "--pipeline", pipeline]);
        project.ok(&["plan", "--pipeline", pipeline]);
    }
    assert_eq!(
        project.json(&["list", "summary"])["artifacts"][0]["label"],
        "summary"
    );
    project.run(&["show", "other"]).expect_code(2);
    // Its artifacts stay although its file is deleted.
    project.remove("second.toml");
    project.ok(&["show", "other", "--pipeline", "second.toml"]);
}

/// U4: with one pipeline there is no choice, even without its file.
#[test]
fn the_only_pipeline_can_be_read_without_its_file() {
    let project = TestProject::team();
    std::fs::rename(project.path("synix.toml"), project.path("only.toml")).unwrap();
    project.ok(&["build", "only.toml"]);
    project.remove("only.toml");
    assert_eq!(project.artifact_names().len(), 7);
    project.ok(&["show", "summary"]);
}

#[test]
fn a_pipeline_without_builds_names_the_pipelines_with_builds() {
    let project = TestProject::team();
    project.pipeline("second.toml", TEAM);
    project.ok(&["build"]);
    let run = project
        .run(&["list", "--pipeline", "second.toml"])
        .expect_code(2);
    assert_transcript!(run);
}

/// U13: the error lists the layers.
#[test]
fn an_unknown_layer_is_reported_as_a_layer() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let run = project.run(&["list", "nolayer"]).expect_code(2);
    assert_transcript!(run);
    assert!(
        project
            .run(&["list", "style"])
            .says("did you mean `styles`?")
    );
}

/// U3
#[test]
fn a_list_before_the_first_finished_build_explains_why_it_is_empty() {
    let project = TestProject::team();
    project
        .run(&["build", "--budget", "0.0000001"])
        .expect_code(5);
    let run = project.ok(&["list"]);
    assert_transcript!(run);
}

/// `-C` and `--pipeline` work from any folder.
#[test]
fn a_project_can_be_named_from_another_folder() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = project.path("").display().to_string();
    let file = project.path("synix.toml").display().to_string();
    for place in [
        ["-C", &folder],
        ["--pipeline", &file],
        ["--pipeline", &folder],
    ] {
        for command in [&["list"][..], &["show", "summary"], &["runs"], &["plan"]] {
            let arguments = [&place[..], command].concat();
            command_in(elsewhere.path(), &arguments)
                .run()
                .expect_code(0);
        }
    }
}

#[test]
fn a_lineage_obeys_depth_and_names_its_transforms() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let run = project.ok(&["lineage", "summary", "--depth", "1"]);
    assert!(
        run.stdout.contains("styles/ws-bela") && !run.stdout.contains("bios/bela"),
        "{run:?}"
    );
    assert_transcript!(run);
    let limited = project.json(&["lineage", "summary", "--depth", "1"]);
    assert_eq!(limited["cut"], true);
    let whole = project.json(&["lineage", "summary", "--depth", "2"]);
    assert_eq!(
        (&whole["cut"], &whole["nodes"]),
        (
            &false.into(),
            &project.json(&["lineage", "summary"])["nodes"]
        )
    );
}
