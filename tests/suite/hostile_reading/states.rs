//! A `.synix` that was cloned with the project, under commands that only read.

#![cfg(target_os = "linux")]

use std::fs;

use crate::hostile_reading::{HARMLESS, assert_results, attack, link, pipe};
use crate::support::folders::copy;
use crate::support::hostile_clone::HostileClone;
use crate::support::test_project::TestProject;

/// W2, W5, W11, W12
#[test]
fn a_hostile_state_does_no_harm() {
    fn with_state(change: impl Fn(&HostileClone) + 'static) -> impl Fn(&HostileClone) {
        move |clone: &HostileClone| {
            let other = TestProject::with_layers(
                "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n[layers.notes]\nsource = \"notes/*.md\"\n[layers.answers]\ntransform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt = \"Say: {{ content }}\"\n",
            );
            other.write("notes/a.md", "a note");
            other.ok(&["build"]);
            copy(&other.path(".synix"), &clone.project.path(".synix"));
            change(clone);
        }
    }
    let marker = |set_aside: &str| {
        serde_json::json!({
            "phase": "moving", "found": "x", "since": "s", "set_aside": set_aside,
            "held": {"builds": {"rows": 0, "whole": true}, "answers": {"rows": 0, "whole": true},
                     "submissions": {"rows": 0, "whole": true}, "live": []},
        })
        .to_string()
    };
    let sql = |text: &'static str| {
        with_state(move |clone| clone.project.database().execute_batch(text).unwrap())
    };
    let moved = marker("../outside/credentials");
    assert_results([
        attack("damage that moves", HARMLESS.state(1, "it was set aside as .synix/damaged-"), move |clone| {
            clone.project.write(".synix/state.sqlite3", "#!/bin/sh\nevil\n");
            clone.project.write(".synix/damage.json", &moved);
        }),
        attack("damage is a pipe", HARMLESS.state(1, "it is not a regular file"), with_state(|clone| pipe(clone, ".synix/damage.json"))),
        attack("damage is a device", HARMLESS.state(1, "it is a symbolic link, which is not followed here"), with_state(|clone| link(clone, ".synix/damage.json", "/dev/zero"))),
        attack("a lock is a link", HARMLESS.built(), with_state(|clone| {
            link(clone, ".synix/locks/build-1", "../../../outside/credentials");
            link(clone, ".synix/locks/build-2", "../../../outside/credentials");
        })),
        attack("the state's lock is a link", HARMLESS.state(1, "it is a symbolic link, which is not followed here"), with_state(|clone| {
            link(clone, ".synix/locks/state", "../../../outside/credentials");
            clone.project.write(".synix/state.sqlite3", "no database");
        })),
        attack("objects elsewhere", HARMLESS.built(), with_state(|clone| link(clone, ".synix/objects", "../../outside"))),
        attack("state elsewhere", HARMLESS.state(1, "synix does not follow a link to a state"), |clone| link(clone, ".synix", "../outside")),
        attack("database elsewhere", HARMLESS.state(1, "it is a symbolic link, which is not followed here"), with_state(|clone| link(clone, ".synix/state.sqlite3", "../../outside/credentials"))),
        attack("database is a pipe", HARMLESS.state(1, "it is not a regular file"), with_state(|clone| pipe(clone, ".synix/state.sqlite3"))),
        attack("database is a device", HARMLESS.state(1, "it is a symbolic link, which is not followed here"), with_state(|clone| link(clone, ".synix/state.sqlite3", "/dev/zero"))),
        attack("a changed answer", HARMLESS.built().show(1, "does not match its digest"), sql("UPDATE artifact_body SET content = CAST('evil words' AS BLOB)")),
        attack("a trigger", HARMLESS.state(1, "it has the trigger t"), sql("CREATE TRIGGER t AFTER INSERT ON build BEGIN DELETE FROM answer_body; END")),
        attack("an endless view", HARMLESS.state(1, "it has the view attempt_note"), sql("DROP TABLE attempt_note; CREATE VIEW attempt_note AS WITH RECURSIVE n(x) AS
            (VALUES(1) UNION ALL SELECT x FROM n) SELECT x AS attempt, 'k' AS kind, 'm' AS message FROM n")),
        attack("a virtual table", HARMLESS.state(1, "it has the table v"), sql("CREATE VIRTUAL TABLE v USING fts5(x)")),
        attack("a large column", HARMLESS.state(1, "the table build is not as synix creates it"), sql("ALTER TABLE build ADD COLUMN c AS (hex(zeroblob(100000000)))")),
        attack("half of a database", HARMLESS.state(1, "is damaged: database disk image is malformed"), with_state(|clone| {
            let path = clone.project.path(".synix/state.sqlite3");
            let length = fs::metadata(&path).unwrap().len();
            fs::File::options().write(true).open(path).unwrap().set_len(length / 2).unwrap();
        })),
        attack("a pipeline elsewhere", HARMLESS.state(1, "is not the name of a pipeline file").plan(0, "total").list(0, "answers"), sql("UPDATE build SET pipeline = '../outside/credentials'")),
    ]);
}
