//! `plugin new` and `plugin build`: a new folder passes its own test and becomes a component, with nothing edited.
//!
//! The tests are run as each folder's README says. Tools come from the folder of [`tool_folder`], then from PATH; one that
//! is missing fails the test.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::languages::{made, plugin, scaffold, succeeds, tool_folder};
use crate::workbench::{Run, command_in};

/// A command with the languages' tools in front of everything else.
fn with_tools(program: &str, arguments: &[&str], folder: &Path) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo, python3 and node stand where the caller's environment says"
    )]
    let others = std::env::var_os("PATH").unwrap_or_default();
    let mut path = OsString::from(tool_folder());
    path.push(":");
    path.push(others);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PATH", path)
        .env("GOTOOLCHAIN", "local")
        .env("GOPROXY", "off")
        .current_dir(folder);
    command
}

/// Builds the example in `language` and runs its own test.
#[track_caller]
fn passes(language: &str, own_test: &[&str]) {
    let example = made(language);
    assert!(example.component.starts_with(b"\0asm"));
    let [program, arguments @ ..] = own_test else {
        panic!("no test for {language}");
    };
    succeeds(&mut with_tools(program, arguments, &example.folder));
}

#[test]
fn a_new_rust_plugin_builds_and_passes_its_test() {
    passes("rust", &["cargo", "test", "--quiet"]);
}

#[test]
fn a_new_python_plugin_builds_and_passes_its_test() {
    passes("python", &["python3", "-m", "unittest"]);
}

#[test]
fn a_new_javascript_plugin_builds_and_passes_its_test() {
    passes("js", &["npm", "test"]);
}

#[test]
fn a_new_typescript_plugin_builds_and_passes_its_test() {
    passes("ts", &["npm", "test"]);
}

#[test]
fn a_new_plugin_in_c_builds_and_passes_its_test() {
    let compile = [
        "zig", "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Isdk",
    ];
    passes(
        "c",
        &[&compile[..], &["tests/test.c", "-o", "test"]].concat(),
    );
    passes("c", &["./test"]);
}

#[test]
fn a_new_plugin_in_go_builds_and_passes_its_test() {
    passes("go", &["go", "test", "./..."]);
    passes("go", &["go", "vet", "./..."]);
}

#[test]
fn a_wrong_type_stops_the_build_and_is_quoted() {
    let folder = scaffold("ts");
    let source = folder.path().join("plugin.ts");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("version: \"0.1.0\"", "version: 1")).unwrap();
    let built = Run::of(&mut plugin(&["build"], folder.path())).expect_code(1);
    assert!(
        built.stderr.contains("TS2322") && built.stderr.contains("plugin.ts"),
        "{}",
        built.stderr
    );
}

#[test]
fn a_name_that_tools_would_refuse_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["plugin", "new", "My_Items", "--lang", "js"];
    let run = Run::of(&mut command_in(folder.path(), &arguments)).expect_code(2);
    assert!(run.says("My_Items"), "{run:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
