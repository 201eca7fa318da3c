//! `plugin new` and `plugin build`: a new folder passes its own test and becomes a component without edits.
//!
//! The tests run as each folder's README says. Tools are searched in the folder of [`tool_folder`], then in PATH. A
//! missing tool fails the test.

use std::fs;

use crate::support::invocation::Run;
use crate::support::plugin_tools::{
    built_example, documented_test_command, plugin_command, run_in_shell, scaffold,
};
use crate::support::test_project::command_in;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Builds the example in a language and runs its own test as its README says.
#[track_caller]
fn assert_builds_and_passes_its_test(language: &str) {
    let example = built_example(language);
    assert!(example.component.starts_with(b"\0asm"));
    // The packages that it would install are already in the path.
    let test = documented_test_command(language).replace("npm install && ", "");
    run_in_shell(&test, &example.folder);
}

#[test]
fn a_new_rust_plugin_builds_and_passes_its_test() {
    assert_builds_and_passes_its_test("rust");
}

#[test]
fn a_new_python_plugin_builds_and_passes_its_test() {
    assert_builds_and_passes_its_test("python");
}

#[test]
fn a_new_javascript_plugin_builds_and_passes_its_test() {
    assert_builds_and_passes_its_test("js");
}

#[test]
fn a_new_typescript_plugin_builds_and_passes_its_test() {
    assert_builds_and_passes_its_test("ts");
}

#[test]
fn a_new_plugin_in_c_builds_and_passes_its_test() {
    assert_builds_and_passes_its_test("c");
    let strict = "zig cc -std=c11 -Wall -Wextra -Werror -Isdk tests/test.c -o strict && ./strict";
    run_in_shell(strict, &built_example("c").folder);
}

#[test]
fn a_new_plugin_in_go_builds_and_passes_its_test() {
    assert_builds_and_passes_its_test("go");
    run_in_shell("go vet ./...", &built_example("go").folder);
}

#[test]
fn a_type_error_stops_the_build_and_is_quoted() {
    let folder = scaffold("ts");
    let source = folder.path().join("plugin.ts");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("version: \"0.1.0\"", "version: 1")).unwrap();
    let built = Run::of(&mut plugin_command(&["build"], folder.path())).expect_code(1);
    assert!(
        built.stderr.contains("TS2322") && built.stderr.contains("plugin.ts"),
        "{}",
        built.stderr
    );
}

#[test]
fn an_invalid_plugin_name_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["plugin", "new", "My_Items", "--lang", "js"];
    let run = command_in(folder.path(), &arguments).run().expect_code(2);
    assert!(run.says("My_Items"), "{run:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The SDK is copied into plugins, which are not in the workspace and cannot inherit its lints.
#[test]
fn the_rust_sdk_has_the_lints_of_the_workspace() {
    let read = |file: &str| -> toml::Table {
        let text = fs::read_to_string(format!("{ROOT}/{file}")).unwrap();
        text.parse().unwrap()
    };
    let workspace = read("Cargo.toml");
    assert_eq!(
        read("plugins/sdk/Cargo.toml")["lints"],
        workspace["workspace"]["lints"]
    );
}
