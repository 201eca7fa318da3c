//! The command as a library: what it knows is what it is handed, and what it says goes where it is told.

use std::io::Cursor;
use std::path::Path;

use serde_json::Value;
use synix::{Environment, Io, Output};
use synix_scripted_provider::Script;

use crate::workbench::{Workbench, command_in};

/// A key that no process of the suite has in its environment.
const KEY: &str = "sk-only-in-a-value";

/// An environment of its own in `folder`: what the suite's command has, but for the key.
fn environment(folder: &Path) -> Environment {
    let process = command_in(folder, &[]);
    let variables = process
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .filter(|(name, _)| name != "OPENAI_API_KEY" && name != "ANTHROPIC_API_KEY")
        .chain(["OPENAI_API_KEY", "ANTHROPIC_API_KEY"].map(|name| (name.into(), KEY.into())));
    Environment::new(variables, folder.to_owned())
}

/// Runs a command in this process: its exit code, stdout and stderr.
fn run(folder: &Path, arguments: &[&str]) -> (u8, String, String) {
    let (io, printed) = Io::captured(environment(folder));
    let code = synix::run(arguments, io);
    (code, printed.stdout(), printed.stderr())
}

#[test]
fn a_build_needs_no_process() {
    let bench = Workbench::team();
    bench.script(Script::new().key(KEY));
    let folder = bench.path("");
    let (code, stdout, stderr) = run(&folder, &["build", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let built: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(built["status"], "completed", "{built:#}");
    assert_eq!(bench.sent(), 4);
    // The same words as those of a process.
    let (code, stdout, _) = run(&folder, &["list"]);
    assert_eq!((code, stdout), (0, bench.ok(&["list"]).stdout));
}

/// Two commands in one process have two folders.
#[test]
fn a_path_is_seen_from_the_folder_that_was_handed_over() {
    let (one, other) = (Workbench::team(), Workbench::team());
    other.pipeline("other.toml", "[layers.notes]\nsource = \"bios/amara.md\"\n");
    let layers = |run: (u8, String, String)| -> Vec<Value> {
        assert_eq!(run.0, 0, "{run:?}");
        let plan: Value = serde_json::from_str(&run.1).unwrap();
        let layers = plan["layers"].as_array().unwrap();
        layers.iter().map(|layer| layer["name"].clone()).collect()
    };
    let plan = ["plan", "--json"];
    let all = ["bios", "styles", "summary"];
    assert_eq!(layers(run(&one.path("bios"), &plan)), all);
    assert_eq!(
        layers(run(&other.path(""), &["plan", "other.toml", "--json"])),
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
    assert_eq!(layers(run(&one.path(""), &elsewhere)), ["notes"]);
    let (code, _, stderr) = run(&one.path(""), &["-C", "nowhere", "plan"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("cannot change to the folder nowhere"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&one.path(""), &["init", "made"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(one.path("made/synix.toml").is_file());
}

#[test]
fn a_mistake_is_a_code_and_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(folder.path(), &["bild", "--json"]);
    let error: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &error["error"]["kind"]), (2, &"usage".into()));
    assert!(stderr.starts_with("error: "), "{stderr}");
    let (code, stdout, stderr) = run(folder.path(), &["--help"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("Usage: synix"), "{stdout}");
}

/// A question is put where a person can read it, and what the person types counts.
#[test]
fn a_person_can_be_asked_without_a_terminal_of_the_process() {
    let bench = Workbench::team();
    let pipeline = std::fs::read_to_string(bench.path("synix.toml")).unwrap();
    let asks = pipeline.replace("name = \"suite\"", "name = \"suite\"\non_done = \"true\"");
    bench.write("synix.toml", &asks);
    let config = tempfile::tempdir().unwrap();
    let ask = |typed: &'static str| {
        let process = command_in(&bench.path(""), &[]);
        let variables = process
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .chain([("SYNIX_CONFIG_DIR".into(), config.path().into())]);
        let environment = Environment::new(variables, bench.path(""));
        let io = Io::new(
            environment,
            Output::pipe(std::io::sink()),
            Output::terminal(std::io::sink(), 80),
        );
        synix::run(["trust"], io.with_user_input(Cursor::new(typed)))
    };
    assert_eq!(ask("n\n"), 5);
    assert_eq!(ask("maybe\n"), 5);
    assert_eq!(ask("yes\n"), 0);
    // It was noted, so nobody is asked again.
    assert_eq!(ask(""), 0);
}
