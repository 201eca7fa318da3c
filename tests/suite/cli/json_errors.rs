//! With `--json` an error is one document on stdout, with a kind that scripts can rely on.

use serde_json::Value;

use crate::support::invocation::Run;
use crate::support::pipelines::{BATCH_BUILD, TEAM};
use crate::support::test_project::{TestProject, command_in, text};
use crate::support::transcript::assert_transcript;

/// Returns the error of a command that fails with this code.
#[track_caller]
fn error_of(project: &TestProject, arguments: &[&str], code: i32) -> Value {
    let run = project
        .run(&[arguments, &["--json"]].concat())
        .expect_code(code);
    error_in(&run)
}

#[track_caller]
fn error_in(run: &Run) -> Value {
    let document = run.json();
    assert_eq!(document["schema"], 1, "{document:#}");
    let error = &document["error"];
    assert!(
        error["message"].is_string() && error["causes"].is_array(),
        "{document:#}"
    );
    assert!(
        error["hint"].is_string() || error["hint"].is_null(),
        "{document:#}"
    );
    assert!(run.stderr.contains("error: "), "{run:?}");
    error.clone()
}

#[test]
fn each_error_has_its_kind() {
    let project = TestProject::team();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["list"], 1, "no_state"),
        (&["batch-build", "status"], 2, "unknown_build"),
        (&["build", "--budget", "0.00001"], 5, "budget"),
        (&["plan", "nowhere.toml"], 2, "no_pipeline"),
        (&["build", "--cassette-mode", "replay"], 1, "cassette"),
    ];
    for (arguments, code, kind) in cases {
        assert_eq!(
            error_of(&project, arguments, code)["kind"],
            kind,
            "{arguments:?}"
        );
    }
    project.ok(&BATCH_BUILD);
    let cases: [(&[&str], i32, &str); 6] = [
        (&["show", "nobody"], 2, "unknown_artifact"),
        (&["list", "nolayer"], 2, "unknown_layer"),
        (&["list", "--snapshot", "build-9"], 2, "unknown_snapshot"),
        (&["batch-build", "status", "build-9"], 2, "unknown_build"),
        (&["batch-build", "resume", "build-2"], 5, "ended"),
        (&["init", "--template", "none"], 2, "usage"),
    ];
    for (arguments, code, kind) in cases {
        assert_eq!(
            error_of(&project, arguments, code)["kind"],
            kind,
            "{arguments:?}"
        );
    }
    project.pipeline("synix.toml", &TEAM.replace("prompt_file", "promt_file"));
    assert_eq!(error_of(&project, &["plan"], 2)["kind"], "pipeline");
}

/// The help is on a line of its own.
#[test]
fn an_error_in_text_ends_with_a_help_line() {
    let project = TestProject::team();
    let run = project.run(&["list"]).expect_code(1);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines[0].starts_with("error: there is no state"), "{run:?}");
    assert_eq!(lines[1], "help: run `synix build` first");
}

/// `--json` may be at any place.
#[test]
fn a_usage_error_is_a_json_document() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["--json", "nope"][..],
        &["nope", "--json"],
        &["build", "--quickly", "--json"],
        &["plugin", "run", "--json"],
        &["--json"],
    ] {
        let run = command_in(folder.path(), arguments).run().expect_code(2);
        assert_eq!(error_in(&run)["kind"], "usage", "{arguments:?}");
    }
    let run = command_in(folder.path(), &["nope"]).run().expect_code(2);
    assert_eq!(run.stdout, "", "{run:?}");
}

/// A build stores why it stopped, with the causes and what to do.
#[test]
fn the_error_of_a_build_is_an_object_or_null() {
    let project = TestProject::team();
    // One unit only: the build stops at its first requests, and how many units have some by then depends on the machine.
    for name in ["bela", "chitra"] {
        project.remove(&format!("bios/{name}.md"));
    }
    project
        .run(&[&BATCH_BUILD[..], &["--budget", "0.000001"]].concat())
        .expect_code(5);
    let status = project.status();
    assert_eq!(
        (&status["status"], &status["error"]["kind"]),
        (&"failed".into(), &"budget".into())
    );
    assert!(
        text(&status["error"]["hint"]).contains("--budget"),
        "{status:#}"
    );
    let run = project.ok(&["batch-build", "status"]);
    assert_transcript!(run);
    let done = project.json(&BATCH_BUILD);
    assert_eq!(done["error"], Value::Null);
}

/// U13
#[test]
fn a_missing_price_is_reported_once() {
    let project = TestProject::team();
    project.pipeline("synix.toml", &TEAM.replace("gpt-4o-mini", "our-own-model"));
    let run = project.run(&["build", "--budget", "1"]).expect_code(5);
    assert_eq!(
        run.stderr.matches("no price is known for model").count(),
        1,
        "{run:?}"
    );
}

#[test]
fn every_duration_option_has_the_same_syntax() {
    let folder = tempfile::tempdir().unwrap();
    let options: [&[&str]; 5] = [
        &["batch-build", "run", "--sync-after"],
        &["batch-build", "run", "--poll", "--poll-interval"],
        &["batch-build", "run", "--poll", "--poll-timeout"],
        &["batch-build", "status", "--watch", "--poll-interval"],
        &["gc", "--older-than"],
    ];
    for option in options {
        for good in ["45", "45s", "1.5h", "15m", "2d", "1w", "250ms"] {
            let run = command_in(folder.path(), &[option, &[good]].concat()).run();
            assert!(!run.says("write a number"), "{option:?} {good}: {run:?}");
        }
        for bad in ["", "h", "-1s", "1y", "soon", "1e3", "inf"] {
            let value = format!("{}={bad}", option[option.len() - 1]);
            let arguments = [&option[..option.len() - 1], &[value.as_str()]].concat();
            let run = command_in(folder.path(), &arguments).run().expect_code(2);
            assert!(run.stderr.contains("error: "), "{run:?}");
        }
    }
}
