//! `release --check`, also of a folder that a stranger made.

use std::fs;

use serde_json::{Value, json};

use super::{OUTPUTS, built_with};
use crate::support::test_project::TestProject;

/// Returns `path problem` of each problem of the current release.
fn problems(project: &TestProject) -> Vec<String> {
    let run = project.run(&["release", "--check", "release", "--json"]);
    let document = run.json();
    let found = document["releases"][0]["problems"].as_array().unwrap();
    let lines: Vec<String> = found
        .iter()
        .map(|one| {
            format!(
                "{} {}",
                one["path"].as_str().unwrap(),
                one["problem"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(run.code, i32::from(!lines.is_empty()), "{run:?}");
    assert_eq!(document["passed"], lines.is_empty());
    lines
}

fn change_receipt(project: &TestProject, change: impl FnOnce(&mut Value)) {
    let path = project.path("release/snapshot-1/receipt.json");
    let mut receipt: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut receipt);
    project.write("release/snapshot-1/receipt.json", &receipt.to_string());
}

#[test]
fn every_difference_from_the_receipt_is_named() {
    let project = built_with(OUTPUTS);
    project.ok(&["release"]);
    assert_eq!(problems(&project), [""; 0]);
    let memory = fs::read_to_string(project.path("release/snapshot-1/memory.md")).unwrap();
    project.write(
        "release/snapshot-1/memory.md",
        &memory.replace("Ann", "Eve"),
    );
    project.write("release/snapshot-1/data/table.csv", "short");
    project.remove("release/snapshot-1/data/rows.jsonl");
    project.write("release/snapshot-1/by-file/extra.md", "x");
    #[cfg(unix)]
    {
        project.remove("release/snapshot-1/dataset/data.jsonl");
        let link = project.path("release/snapshot-1/dataset/data.jsonl");
        std::os::unix::fs::symlink("/etc/passwd", link).unwrap();
        assert_eq!(
            problems(&project),
            [
                "by-file/extra.md extra",
                "data/table.csv differs",
                "dataset/data.jsonl not_a_file",
                "memory.md differs",
                "data/rows.jsonl missing",
            ]
        );
    }
    let text = project
        .run(&["release", "--check", "release"])
        .expect_code(1);
    assert!(
        text.says("snapshot-1/memory.md differs from the receipt"),
        "{text:?}"
    );
}

#[test]
fn a_receipt_cannot_name_a_file_outside_of_the_release() {
    let project = built_with(OUTPUTS);
    project.ok(&["release"]);
    for path in [
        "../../notes/ann.md",
        "/etc/passwd",
        "a/../../x",
        "",
        "receipt.json",
    ] {
        change_receipt(&project, |receipt| {
            receipt["files"][0]["path"] = json!(path);
        });
        let found = problems(&project);
        assert!(found.contains(&format!("{path} invalid_path")), "{found:?}");
    }
    change_receipt(&project, |receipt| {
        receipt["snapshot"] = json!("snapshot-9");
    });
    assert!(problems(&project).contains(&"receipt.json other_snapshot".to_owned()));
    project.write("release/snapshot-1/receipt.json", "[]");
    assert_eq!(problems(&project), ["receipt.json unreadable"]);
}

#[cfg(unix)]
#[test]
fn current_is_not_followed_out_of_the_folder() {
    let project = built_with(OUTPUTS);
    project.ok(&["release"]);
    fs::create_dir_all(project.path("elsewhere")).unwrap();
    for target in ["../elsewhere", "/etc", "."] {
        project.remove("release/current");
        std::os::unix::fs::symlink(target, project.path("release/current")).unwrap();
        let refused = project
            .run(&["release", "--check", "release"])
            .expect_code(1);
        assert!(
            refused.says("does not lead to a folder beside it"),
            "{refused:?}"
        );
    }
    project.remove("release/current");
    let none = project
        .run(&["release", "--check", "release"])
        .expect_code(1);
    assert!(none.says("there is no release in"), "{none:?}");
}
