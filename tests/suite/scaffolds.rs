//! `plugin new` and `plugin build`: a new folder passes its own test and becomes a component, with nothing edited.
//!
//! The tools come from the folder that `SYNIX_TOOLS` names, or from PATH; one that is missing fails the test.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::workbench::{Run, command_in};

/// Makes a plugin in `lang`, runs its own test, and builds it.
fn new_test_build(lang: &str, own_test: &[&str]) {
    let folder = new(lang);
    let plugin = folder.path().join("my-items");
    if let [program, arguments @ ..] = own_test {
        let tested = Run::of(Command::new(program).args(arguments).current_dir(&plugin));
        assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    }
    let built = synix(folder.path(), &["plugin", "build", "my-items"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let component = fs::read(plugin.join("my-items.wasm")).unwrap();
    assert!(component.starts_with(b"\0asm"));
}

fn new(lang: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = synix(
        folder.path(),
        &["plugin", "new", "my-items", "--lang", lang],
    );
    assert_eq!(made.code, 0, "{}", made.stderr);
    folder
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tools stand where the caller's environment says"
)]
fn synix(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command_in(folder, arguments);
    for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "SYNIX_TOOLS"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Run::of(&mut command)
}

#[test]
fn a_new_rust_plugin_passes_its_test_and_builds() {
    new_test_build("rust", &["cargo", "test", "--quiet"]);
}

#[test]
fn a_new_python_plugin_passes_its_test_and_builds() {
    new_test_build("python", &["python3", "-m", "unittest"]);
}

#[test]
fn a_new_javascript_plugin_passes_its_test_and_builds() {
    new_test_build("js", &["node", "--test"]);
}

#[test]
fn a_new_typescript_plugin_builds() {
    new_test_build("ts", &[]);
}

#[test]
fn a_wrong_type_stops_the_build_and_is_quoted() {
    let folder = new("ts");
    let source = folder.path().join("my-items/plugin.ts");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("version: \"0.1.0\"", "version: 1")).unwrap();
    let built = synix(folder.path(), &["plugin", "build", "my-items"]);
    assert_eq!(built.code, 1);
    assert!(
        built.stderr.contains("TS2322") && built.stderr.contains("plugin.ts"),
        "{}",
        built.stderr
    );
}

#[test]
fn a_name_that_tools_would_refuse_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let run = synix(
        folder.path(),
        &["plugin", "new", "My_Items", "--lang", "js"],
    );
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
