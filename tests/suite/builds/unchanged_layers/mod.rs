//! Layers whose units are taken from the snapshot without looking at each.
//!
//! Deleting the fingerprints of the layers makes a command look at each unit, so both ways can be compared.

mod both_ways;

use std::fs;

use rusqlite::types::Value;
use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::readers::set_age;
use crate::support::pipelines::notes_pipeline;
use crate::support::test_project::TestProject;

/// A text whose request fails.
const CURSED: &str = "cursed";

/// A row of `snapshot_layer`: snapshot, name, fingerprint, seal.
type Fingerprints = Vec<(i64, String, Vec<u8>, Value)>;

/// Returns the names of the layers of the newest snapshot that have fingerprints.
fn known_layers(project: &TestProject) -> Vec<String> {
    let database = project.database();
    let mut statement = database
        .prepare(
            "SELECT name FROM snapshot_layer WHERE fingerprint IS NOT NULL
             AND snapshot = (SELECT max(id) FROM snapshot WHERE name IS NULL) ORDER BY position",
        )
        .unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

fn fingerprints(project: &TestProject) -> Fingerprints {
    let database = project.database();
    let mut statement = database
        .prepare(
            "SELECT snapshot, name, fingerprint, seal FROM snapshot_layer
             WHERE fingerprint IS NOT NULL ORDER BY snapshot, position",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn forget(project: &TestProject) {
    let statement = "UPDATE snapshot_layer SET fingerprint = NULL, seal = NULL";
    project.database().execute(statement, []).unwrap();
}

fn restore(project: &TestProject, fingerprints: &Fingerprints) {
    let database = project.database();
    for (snapshot, name, fingerprint, seal) in fingerprints {
        let statement = "UPDATE snapshot_layer SET fingerprint = ?3, seal = ?4 WHERE snapshot = ?1 AND name = ?2";
        let values = rusqlite::params![snapshot, name, fingerprint, seal];
        assert_eq!(database.execute(statement, values), Ok(1));
    }
}

/// Writes a file that is old enough for its stamp to be trusted.
fn write_settled(project: &TestProject, file: &str, text: &str, age: u64) {
    project.write(file, text);
    set_age(project, file, age);
}

const CHAIN: &str = notes_pipeline!(
    r#"
[layers.parts]
transform = "chunk"
inputs = ["notes"]
[layers.answers]
transform = "map"
inputs = ["parts"]
[layers.answers.config]
prompt = "Answer: {{ content }}"
[layers.report]
transform = "reduce"
inputs = ["answers"]
[layers.report.config]
prompt = "Sum up:{% for one in inputs %} {{ one.content }}{% endfor %}"
label = "report"
"#
);

fn chain() -> TestProject {
    let project = TestProject::with_layers(CHAIN);
    for name in ["a", "b"] {
        write_settled(&project, &format!("notes/{name}.md"), name, 0);
    }
    project
}

/// The rows of a million units are not read to find that nothing changed.
#[test]
fn the_units_of_an_unchanged_layer_are_not_read() {
    let project = chain();
    project.ok(&["build"]);
    assert_eq!(
        known_layers(&project),
        ["notes", "parts", "answers", "report"]
    );
    let damage = "UPDATE unit SET seal = seal + 1; UPDATE artifact SET seal = seal + 1";
    project.database().execute_batch(damage).unwrap();
    let plan = project.json(&["plan"]);
    assert_eq!(
        (&plan["total"]["units"], &plan["total"]["stale"]),
        (&7.into(), &0.into())
    );
    project.ok(&["build"]);
    // What is read is checked.
    project.run(&["list"]).expect_code(1);
    forget(&project);
    project.run(&["plan"]).expect_code(1);
}

/// Only what is downstream of a change is looked at, from the artifacts that the snapshot has.
#[test]
fn a_changed_layer_gets_the_artifacts_of_unchanged_ones() {
    let project = chain();
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
    project.pipeline("synix.toml", &CHAIN.replace("Answer:", "Reply:"));
    let plan = project.json(&["plan"]);
    let stale: Vec<_> = plan["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| &layer["stale"])
        .collect();
    assert_eq!(stale[..3], [0, 0, 2]);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 6);
    // The group of a changed layer, too.
    project.pipeline(
        "synix.toml",
        &CHAIN.replace("Answer:", "Reply:").replace("Sum", "Add"),
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 7);
    assert_eq!(
        known_layers(&project),
        ["notes", "parts", "answers", "report"]
    );
}

/// F1: a failed unit is tried again, so its layer and those downstream of it are looked at.
#[test]
fn a_layer_with_a_failed_unit_has_no_fingerprint() {
    for arguments in [&["build"][..], &["build", "--allow-partial"]] {
        let project = chain();
        let refused = Reply::Status(StatusReply::new(400));
        project.script(Script::new().rule(Rule::on(CURSED).reply(refused)));
        write_settled(&project, "notes/b.md", CURSED, 0);
        project.run(arguments).expect_code(3);
        assert_eq!(known_layers(&project), ["notes", "parts"], "{arguments:?}");
        project.script(Script::new());
        project.ok(&["build"]);
        assert_eq!(known_layers(&project).len(), 4);
    }
}

/// A trial has a part of the units, and a snapshot of its own.
#[test]
fn a_trial_neither_uses_nor_changes_the_fingerprints() {
    let project = chain();
    project.ok(&["build"]);
    let known = fingerprints(&project);
    project.ok(&["build", "--limit", "1"]);
    project.ok(&["build", "--select", "parts/*"]);
    assert_eq!(fingerprints(&project), known);
}

/// A2: a unit of one answer origin is never used for another.
#[test]
fn a_layer_of_another_answer_origin_is_not_taken() {
    let project = chain();
    project.ok(&["build", "--cassette-mode", "record"]);
    let replay = &["plan", "--json", "--cassette-mode", "replay"];
    let plan = project.run(replay).json();
    assert_eq!(
        (&plan["layers"][1]["stale"], &plan["layers"][2]["stale"]),
        (&2.into(), &2.into())
    );
    assert_eq!(plan["layers"][0]["stale"], 0);
}

/// A file whose stamp proves nothing is hashed; what is downstream of it is not looked at.
#[test]
fn a_touched_file_leaves_the_layers_unchanged() {
    let project = chain();
    project.ok(&["build"]);
    let text = fs::read_to_string(project.path("notes/a.md")).unwrap();
    project.write("notes/a.md", &text);
    let damage = "UPDATE unit SET seal = seal + 1 WHERE layer <> 'notes'";
    project.database().execute_batch(damage).unwrap();
    for arguments in [&["plan"][..], &["plan", "--rehash"]] {
        assert_eq!(
            project.json(arguments)["total"]["stale"],
            0,
            "{arguments:?}"
        );
    }
}
