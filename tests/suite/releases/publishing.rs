//! A release as a whole: what is written, `current`, and what remains.

use std::fs;

use synix_disk::FileLock;
use synix_scripted_provider::{Rule, Script};

use super::{OUTPUTS, built_with, current, paths, receipt};

const ROWS: &str =
    "[outputs.rows]\nlayers = [\"notes\"]\nformat = \"jsonl\"\npath = \"rows.jsonl\"\n";

#[test]
fn a_release_has_every_output_and_a_receipt_of_each_file() {
    let project = built_with(OUTPUTS);
    let document = project.json(&["release"]);
    assert_eq!(document["snapshot"], "snapshot-1");
    assert_eq!(document["unchanged"], false);
    assert_eq!(current(&project), "snapshot-1");
    let receipt = receipt(&project);
    assert_eq!(receipt["schema"], 1);
    assert_eq!(receipt["pipeline"], "synix.toml");
    assert_eq!(receipt["fingerprint"].as_str().unwrap().len(), 64);
    let components = receipt["components"].as_array().unwrap();
    let layers: Vec<&str> = components
        .iter()
        .map(|one| one["layer"].as_str().unwrap())
        .collect();
    assert_eq!(layers, ["copies", "tagged"]);
    let mut files: Vec<String> = receipt["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap().to_owned())
        .collect();
    files.push("receipt.json".to_owned());
    files.sort();
    assert_eq!(paths(&project.path("release/snapshot-1")), files);
    assert_eq!(
        files,
        [
            "by-file/notes/ann.md",
            "by-file/notes/bob.md",
            "by-file/tagged/ann.md",
            "by-file/tagged/bob.md",
            "data/rows.jsonl",
            "data/table.csv",
            "dataset/croissant.json",
            "dataset/data.jsonl",
            "memory.md",
            "receipt.json",
        ]
    );
    // The parts of a release are what an export writes.
    let rows = fs::read_to_string(project.path("release/current/data/rows.jsonl")).unwrap();
    assert_eq!(rows, project.ok(&["export", "tagged", "copies"]).stdout);
    project.ok(&["release", "--check", "release"]);
}

#[test]
fn releasing_a_snapshot_again_changes_nothing_and_repairs_what_is_damaged() {
    let project = built_with(OUTPUTS);
    project.ok(&["release"]);
    let modified = |path: &str| {
        let found = fs::metadata(project.path(path)).unwrap();
        found.modified().unwrap()
    };
    let before = modified("release/snapshot-1/memory.md");
    let again = project.json(&["release"]);
    assert_eq!(again["unchanged"], true);
    assert_eq!(modified("release/snapshot-1/memory.md"), before);

    let whole = fs::read(project.path("release/current/memory.md")).unwrap();
    project.write("release/snapshot-1/memory.md", "something else");
    project.remove("release/snapshot-1/receipt.json");
    project.write("release/snapshot-1/receipt.json", "{");
    let repaired = project.json(&["release"]);
    assert_eq!(repaired["unchanged"], false);
    assert_eq!(
        fs::read(project.path("release/current/memory.md")).unwrap(),
        whole
    );
    project.ok(&["release", "--check", "release"]);
}

#[test]
fn changed_outputs_replace_the_release_of_the_same_snapshot() {
    let project = built_with(ROWS);
    project.ok(&["release"]);
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("synix.toml", &pipeline.replace("rows.jsonl", "other.jsonl"));
    project.ok(&["release"]);
    assert_eq!(
        paths(&project.path("release/snapshot-1")),
        ["other.jsonl", "receipt.json"]
    );
    let left = paths(&project.path("release"));
    assert!(
        !left.iter().any(|path| path.contains("partial")),
        "{left:?}"
    );
}

#[test]
fn keep_deletes_only_releases_of_this_pipeline_and_never_the_current_one() {
    let project = built_with(ROWS);
    project.ok(&["release"]);
    for number in 2..=4 {
        project.write("notes/bob.md", &format!("=1 {number}"));
        project.ok(&["build"]);
        project.ok(&["release"]);
    }
    // Neither a folder without a receipt nor a link is ours.
    fs::create_dir_all(project.path("release/snapshot-0")).unwrap();
    fs::create_dir_all(project.path("elsewhere")).unwrap();
    project.write("elsewhere/receipt.json", "kept");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../elsewhere", project.path("release/snapshot-00")).unwrap();
    let kept = project.json(&["release", "--snapshot", "snapshot-2", "--keep", "2"]);
    assert_eq!(
        kept["deleted"],
        serde_json::json!(["snapshot-1", "snapshot-3"])
    );
    assert_eq!(current(&project), "snapshot-2");
    for name in ["snapshot-0", "snapshot-2", "snapshot-4"] {
        assert!(project.path(&format!("release/{name}")).is_dir(), "{name}");
    }
    assert!(project.path("elsewhere/receipt.json").is_file());
    let only = project.json(&["release", "--keep", "1"]);
    assert_eq!(only["deleted"], serde_json::json!(["snapshot-2"]));
    fs::remove_dir(project.path("release/snapshot-0")).unwrap();
    project.ok(&["release", "--check", "release", "--all"]);
}

#[test]
fn a_release_never_touches_what_is_not_of_a_release() {
    let project = built_with(ROWS);
    project.write("release/current/notes.txt", "mine");
    let refused = project.run(&["release"]).expect_code(1);
    assert!(
        refused.says("release/current is not of a release"),
        "{refused:?}"
    );
    assert!(refused.says("--to DIR"), "{refused:?}");
    assert!(project.path("release/current/notes.txt").is_file());

    project.write("other/snapshot-1/notes.txt", "mine");
    let refused = project.run(&["release", "--to", "other"]).expect_code(1);
    assert!(refused.says("it has no receipt"), "{refused:?}");
    assert!(project.path("other/snapshot-1/notes.txt").is_file());

    let refused = project.run(&["release", "--to", "."]).expect_code(2);
    assert!(refused.says("project folder itself"), "{refused:?}");
}

#[test]
fn two_pipelines_do_not_share_a_current() {
    let project = built_with(ROWS);
    project.ok(&["release"]);
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("other.toml", &pipeline);
    project.ok(&["build", "other.toml"]);
    let refused = project
        .run(&["release", "--pipeline", "other.toml"])
        .expect_code(1);
    assert!(
        refused.says("has releases of synix.toml, not of other.toml"),
        "{refused:?}"
    );
    project.ok(&["release", "--pipeline", "other.toml", "--to", "other"]);
}

#[test]
fn two_releases_do_not_write_at_once() {
    let project = built_with(ROWS);
    project.ok(&["release"]);
    let lock = FileLock::try_acquire(&project.path("release/.synix-release")).unwrap();
    assert!(lock.is_some());
    let busy = project.run(&["release", "--json"]).expect_code(5);
    assert_eq!(busy.json()["error"]["kind"], "busy");
    drop(lock);
    project.ok(&["release"]);
}

/// M1: the next build sees the same sources.
#[test]
fn a_release_is_no_source_of_its_own_build() {
    let layers = "[layers.notes]\nsource = \"**/*.md\"\n[outputs.notes]\nlayers = [\"notes\"]\nformat = \"files\"\npath = \"notes\"\n";
    let project = crate::support::test_project::TestProject::with_layers(layers);
    project.write("a.md", "one");
    project.ok(&["build"]);
    project.ok(&["release"]);
    project.ok(&["release", "--to", "deep/er"]);
    project.ok(&["build"]);
    assert_eq!(project.artifact_names(), ["notes/a"]);
}

/// The second output fails after the first one was written.
#[test]
fn a_release_that_fails_half_way_leaves_nothing() {
    let project = built_with(ROWS);
    project.ok(&["release"]);
    let members: Vec<String> = (0..1001)
        .map(|number| format!("\"m{number}\": 1"))
        .collect();
    let answer = format!("{{{}}}", members.join(","));
    project.script(Script::new().rule(Rule::on("=1").text(&answer)));
    project.write("notes/bob.md", "=1 more");
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    let table = "[outputs.table]\nlayers = [\"tagged\"]\nformat = \"csv\"\npath = \"table.csv\"\n";
    project.write("synix.toml", &format!("{pipeline}{table}"));
    project.ok(&["build"]);
    let before = paths(&project.path("release"));
    let failed = project.run(&["release"]).expect_code(1);
    assert!(
        failed.says("output `table` cannot be written"),
        "{failed:?}"
    );
    assert!(
        failed.says("more than 1000 different members"),
        "{failed:?}"
    );
    assert_eq!(paths(&project.path("release")), before);
    assert_eq!(current(&project), "snapshot-1");

    project.write("file", "in the way");
    let refused = project.run(&["release", "--to", "file"]).expect_code(1);
    assert!(refused.says("cannot create"), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_leaves_current_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;

    let project = built_with(ROWS);
    project.ok(&["release"]);
    project.write("notes/bob.md", "=1 more");
    project.ok(&["build"]);
    let folder = project.path("release");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let is_root = fs::File::create(folder.join("probe")).is_ok();
    let refused = project.run(&["release"]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    // Nothing is closed to root.
    if !is_root {
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.says("cannot "), "{refused:?}");
        assert_eq!(current(&project), "snapshot-1");
    }
    let _ = fs::remove_file(folder.join("probe"));
    project.ok(&["release", "--check", "release"]);
}
