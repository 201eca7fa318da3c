//! Outputs in the pipeline file, and formats of `export`.

use std::fs;

use super::{OUTPUTS, built_with};

#[test]
fn an_output_makes_no_unit_stale() {
    let project = built_with("");
    let sent = project.sent();
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("synix.toml", &format!("{pipeline}{OUTPUTS}"));
    let plan = project.json(&["plan"]);
    assert_eq!(plan["total"]["stale"], 0, "{plan}");
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent);
    // The snapshot of before the outputs is what they are made from.
    project.ok(&["release"]);
}

#[test]
fn a_release_needs_an_output_and_its_layers_in_the_snapshot() {
    let project = built_with("");
    let none = project.run(&["release"]).expect_code(2);
    assert!(none.says("synix.toml has no outputs"), "{none:?}");
    assert!(none.says("[outputs.NAME]"), "{none:?}");
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    let later = "[layers.later]\nsource = \"notes/*.md\"\n[outputs.later]\nlayers = [\"later\"]\nformat = \"csv\"\npath = \"later.csv\"\n";
    project.write("synix.toml", &format!("{pipeline}{later}"));
    let unknown = project.run(&["release"]).expect_code(2);
    assert!(
        unknown.says("output `later` cannot be written"),
        "{unknown:?}"
    );
    assert!(unknown.says("there is no layer \"later\""), "{unknown:?}");
    assert!(!project.path("release").exists());
}

#[test]
fn an_export_in_a_format_with_a_folder_makes_a_new_folder() {
    let project = built_with("");
    let to_stdout = project
        .run(&["export", "notes", "--format", "files"])
        .expect_code(2);
    assert!(
        to_stdout.says("cannot be written to stdout"),
        "{to_stdout:?}"
    );
    let found = project.json(&["export", "notes", "--format", "files", "-o", "out"]);
    assert_eq!(found["artifacts"], 2);
    assert!(project.path("out/notes/ann.md").is_file());
    let again = project
        .run(&["export", "notes", "--format", "files", "-o", "out"])
        .expect_code(1);
    assert!(again.says("exists already"), "{again:?}");
    let document = project
        .ok(&["export", "notes", "--format", "document"])
        .stdout;
    assert!(document.starts_with("# suite\n"), "{document}");
    let left: Vec<_> = fs::read_dir(project.path("")).unwrap().flatten().collect();
    let is_partial = |name: &str| name.contains("partial");
    assert!(
        !left
            .iter()
            .any(|entry| is_partial(&entry.file_name().to_string_lossy()))
    );
}
