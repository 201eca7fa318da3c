//! What WASI gives to a guest: no files, no network, a fixed clock, and a log for what it prints.

use crate::hostile_plugins::{layers_with_plugin, project_with_plugin};

#[test]
fn wasi_gives_no_access_to_files_or_the_network() {
    let project = project_with_plugin("wasi_files", &[("a", "x")]);
    project.ok(&["build"]);
    assert_eq!(
        project.content("made/a"),
        "0 folders, 0 variables and arguments, stdin: StreamError::Closed"
    );
    let project = project_with_plugin("wasi_sockets", &[("a", "x")]);
    project.ok(&["build"]);
    let content = project.content("made/a");
    assert!(
        content.matches("access-denied").count() == 2
            && content.contains("permanent-resolver-failure"),
        "{content}"
    );
}

#[test]
fn excess_output_on_stdout_is_cut_off_and_does_not_fail_the_unit() {
    let project = project_with_plugin("wasi_flood", &[("a", "x")]);
    project.pipeline(
        "synix.toml",
        &layers_with_plugin("wasi_flood").replace("2_000_000_000", "20_000_000_000"),
    );
    project.ok(&["build"]);
    let size = std::fs::metadata(project.path(".synix/state.sqlite3"))
        .unwrap()
        .len();
    assert!(size < 10_000_000, "{size}");
}

/// The same unit always gets the same random bytes, another unit gets others, and the clock does not advance.
#[test]
fn randomness_and_time_depend_only_on_the_unit() {
    let outputs = || {
        let project = project_with_plugin("wasi_random", &[("a", "x"), ("b", "x")]);
        project.ok(&["build"]);
        ["made/a", "made/b"].map(|name| project.content(name))
    };
    let [a, b] = outputs();
    assert_eq!([a.clone(), b.clone()], outputs());
    assert_ne!(a, b);
    assert!(a.ends_with(" 315532800.000000000 0"), "{a}");
}

#[test]
fn printed_lines_are_logged_with_their_layer_and_unit() {
    let project = project_with_plugin("wasi_print", &[("a", "x")]);
    let run = project.ok(&["build", "-v"]);
    let lines: Vec<&str> = run
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("made/a: "))
        .collect();
    assert_eq!(
        lines,
        [
            "info: printed in pieces",
            "debug: logged between",
            "warn: warned",
            "info: and not ended",
        ]
    );
}

/// Every command calls `split` while it waits for other things. The guest may still print, and gets the same random
/// bytes.
#[test]
fn a_guest_may_print_during_split() {
    let project = project_with_plugin("wasi_split", &[("a", "x"), ("b", "y")]);
    project.ok(&["plan"]);
    project.ok(&["build"]);
    assert_eq!(project.artifact_names().len(), 6);
    let plan = project.json(&["plan"]);
    assert!(
        plan["layers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|layer| layer["stale"] == 0),
        "{plan}"
    );
}
