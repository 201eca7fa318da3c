//! The command as a library: it reads only what it is given, and writes only where it is told to.

use std::io::Cursor;

use serde_json::Value;
use synix::{Io, Output};
use synix_scripted_provider::Script;

use crate::support::invocation::Run;
use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::{TestProject, command_in};

/// A key that no process of the suite has in its environment.
const KEY: &str = "sk-only-in-a-value";

#[test]
fn a_build_takes_its_key_from_the_given_environment() {
    let project = TestProject::team();
    project.script(Script::new().key(KEY));
    let mut build = project.command(&["build", "--json"]);
    build
        .env("OPENAI_API_KEY", KEY)
        .env("ANTHROPIC_API_KEY", KEY);
    let built = build.run().expect_code(0).json();
    assert_eq!(built["status"], "completed", "{built:#}");
    assert_eq!(project.sent(), 4);
}

/// The other tests run commands in this process and rely on this.
#[test]
fn a_process_and_the_library_print_the_same() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    for arguments in [
        &["--version"][..],
        &["--help"],
        &["bild"],
        &["plan"],
        &["plan", "--json"],
        &["plan", "none.toml"],
        &["list", "--color", "always"],
        &["show", "summary/summary"],
        &["show", "summary/none"],
        &["lineage", "summary/summary"],
        &["status"],
        &["builds"],
        &["batch-build", "status", "--latest"],
        &["plugin", "inspect", "map"],
        &["plugin", "inspect", "none.wasm"],
    ] {
        let (here, there) = (
            project.run(arguments),
            project.command(arguments).run_process(),
        );
        assert_eq!(here, there, "{arguments:?}");
    }
}

/// Two commands in one process have different folders.
#[test]
fn paths_are_relative_to_the_given_folder() {
    let (one, other) = (TestProject::team(), TestProject::team());
    other.pipeline("other.toml", "[layers.notes]\nsource = \"bios/amara.md\"\n");
    let layers = |run: Run| -> Vec<Value> {
        let plan = run.expect_code(0).json();
        let layers = plan["layers"].as_array().unwrap();
        layers.iter().map(|layer| layer["name"].clone()).collect()
    };
    let plan = ["plan", "--json"];
    let all = ["bios", "styles", "summary"];
    assert_eq!(layers(command_in(&one.path("bios"), &plan).run()), all);
    assert_eq!(
        layers(other.run(&["plan", "other.toml", "--json"])),
        ["notes"]
    );
    let there = other.path("");
    let elsewhere = [
        "-C",
        there.to_str().unwrap(),
        "plan",
        "other.toml",
        "--json",
    ];
    assert_eq!(layers(one.run(&elsewhere)), ["notes"]);
    let nowhere = one.run(&["-C", "nowhere", "plan"]).expect_code(2);
    assert!(
        nowhere
            .stderr
            .contains("cannot change to the folder nowhere"),
        "{nowhere:?}"
    );
    one.ok(&["init", "made"]);
    assert!(one.path("made/synix.toml").is_file());
}

#[test]
fn a_usage_error_returns_a_code_and_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = command_in(folder.path(), &["bild", "--json"]).run();
    assert_eq!(wrong.json()["error"]["kind"], "usage");
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.starts_with("error: "), "{wrong:?}");
    let help = command_in(folder.path(), &["--help"]).run().expect_code(0);
    assert_eq!(help.stderr, "");
    assert!(help.stdout.contains("Usage: synix"), "{help:?}");
}

/// The prompt is written to the given terminal, and the given input is read.
#[test]
fn trust_can_prompt_without_the_terminal_of_the_process() {
    let project = TestProject::team();
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let with_on_done = pipeline.replace("name = \"suite\"", "name = \"suite\"\non_done = \"true\"");
    project.write("synix.toml", &with_on_done);
    let config = tempfile::tempdir().unwrap();
    let prompt_and_type = |typed: &'static str| {
        let mut trust = project.command(&["trust"]);
        trust.env("SYNIX_CONFIG_DIR", config.path());
        let io = Io::new(
            trust.environment(),
            Output::pipe(std::io::sink()),
            Output::terminal(std::io::sink(), 80),
        );
        synix::run(["trust"], io.with_user_input(Cursor::new(typed)))
    };
    assert_eq!(prompt_and_type("n\n"), 5);
    assert_eq!(prompt_and_type("maybe\n"), 5);
    assert_eq!(prompt_and_type("yes\n"), 0);
    // The permission is stored, so there is no second prompt.
    assert_eq!(prompt_and_type(""), 0);
}
