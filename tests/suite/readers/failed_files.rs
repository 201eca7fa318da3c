//! Files that could not be read: when they are read again.

use serde_json::json;

use super::files::{overwrite, set_age};
use super::{TICKETS, tickets};
use crate::support::test_project::TestProject;

/// A project whose file `in/c.csv` failed, and was then mended in a way that nobody can see without reading it.
fn mended_in_secret() -> TestProject {
    let project = tickets("error");
    project.write("in/c.csv", "number,words\n1,x\n");
    set_age(&project, "in/c.csv", 0);
    project.run(&["build"]).expect_code(3);
    overwrite(&project, "in/c.csv", "id,text\n9,abcdef\n");
    set_age(&project, "in/c.csv", 0);
    project
}

#[test]
fn a_file_that_failed_fails_again_without_being_read() {
    let project = mended_in_secret();
    for _ in 0..2 {
        let run = project.run(&["build"]).expect_code(3);
        assert!(run.says("there is no field `text`"), "{run:?}");
    }
    let plan = project.json(&["plan"]);
    let layer = &plan["layers"][0];
    assert_eq!((&layer["units"], &layer["stale"]), (&json!(3), &json!(1)));
    assert_eq!(layer["failures"][0]["unit"], "in/c.csv", "{plan:#}");
    assert_eq!(project.sent(), 3);
}

#[test]
fn a_file_that_failed_is_read_again_once_something_about_it_changes() {
    type Change = fn(&TestProject);
    fn with(project: &TestProject, lines: &str) {
        let layers = TICKETS.replace("ON_DUPLICATE", "");
        let layers = layers.replace("[layers.tickets.config]", lines);
        project.pipeline("synix.toml", &layers);
    }
    let changes: [(&str, Change); 4] = [
        ("the file", |project| set_age(project, "in/c.csv", 1)),
        ("the config", |project| {
            with(project, "[layers.tickets.config]\nkind = \"ticket\"");
        }),
        ("the limits", |project| {
            let limits = "[layers.tickets.limits]\nfuel = 900000000";
            with(project, &format!("{limits}\n[layers.tickets.config]"));
        }),
        ("the state", |project| drop(project.ok(&["clean"]))),
    ];
    for (what, change) in changes {
        let project = mended_in_secret();
        change(&project);
        let run = project.run(&["build"]);
        assert_eq!(run.code, 0, "{what}: {run:?}");
    }
}

#[test]
fn retry_failed_reads_failed_files_again() {
    for option in ["--retry-failed", "--retry-failed=guest"] {
        let project = mended_in_secret();
        project
            .run(&["build", "--retry-failed=refused"])
            .expect_code(3);
        project.ok(&["build", option]);
        assert_eq!(project.sent(), 4);
    }
}
