//! Mistakes of a plugin's author: missing tools, errors in the source, values of a wrong type.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::invocation::Run;
use crate::support::plugin_tools::{
    built_example, expect_success, plugin_command, replace_in_file, run_in_shell, scaffold,
};

const TOPICS: &str = include_str!("../../guests/c/topics.c");
const TOPICS_TEST: &str = include_str!("../../guests/c/topics_test.c");

/// Copies the Rust example with the output of its earlier build.
fn copy_of_built_rust_plugin(into: &TempDir) -> PathBuf {
    let copied = into.path().join("copied");
    let mut command = Command::new("cp");
    expect_success(
        command
            .arg("-r")
            .arg(&built_example("rust").folder)
            .arg(&copied),
    );
    copied
}

#[track_caller]
fn build_error(folder: &Path) -> String {
    Run::of(&mut plugin_command(&["build"], folder))
        .expect_code(1)
        .stderr
}

/// Builds the plugin in a folder and runs one unit with two inputs, which may fail.
fn run_one_unit(folder: &TempDir) -> Run {
    let inputs = folder.path().join("inputs");
    fs::create_dir(&inputs).unwrap();
    fs::write(inputs.join("feb.md"), "Pay the rent.").unwrap();
    fs::write(inputs.join("jan.md"), "Call Ann.").unwrap();
    let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
    let arguments = ["run", built.trim(), "--reply", "x", "--input"];
    let mut command = plugin_command(&arguments, &inputs.join("jan.md"));
    Run::of(command.arg("--input").arg(inputs.join("feb.md")))
}

#[test]
fn all_missing_tools_are_named_in_one_error() {
    let folder = scaffold("ts");
    let mut command = plugin_command(&["build"], folder.path());
    command.env_remove("SYNIX_TOOLS").env("PATH", folder.path());
    let run = Run::of(&mut command).expect_code(1);
    for part in [
        "tsc, esbuild and componentize-qjs are missing",
        "`npm install` in the plugin's folder",
        "typescript@",
    ] {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
}

/// `npm install` must be enough for the build.
#[test]
fn a_scaffolds_packages_include_its_build_tools() {
    for (language, tools) in [
        ("js", &["esbuild", "componentize-qjs"][..]),
        ("ts", &["typescript", "esbuild", "componentize-qjs"]),
    ] {
        let folder = scaffold(language);
        let manifest = fs::read(folder.path().join("package.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        for tool in tools {
            assert!(
                manifest["devDependencies"][tool].is_string(),
                "{language}: {tool}"
            );
        }
    }
}

/// The module of an earlier build has the path at which this build would write its own.
#[test]
fn a_build_without_a_module_does_not_use_the_module_of_an_earlier_build() {
    let folder = tempfile::tempdir().unwrap();
    let copied = copy_of_built_rust_plugin(&folder);
    replace_in_file(&copied, "Cargo.toml", "\"cdylib\", ", "");
    let error = build_error(&copied);
    assert!(error.contains("cdylib"), "{error}");
}

#[test]
fn a_rust_error_is_quoted_without_cargos_progress() {
    let folder = tempfile::tempdir().unwrap();
    let copied = copy_of_built_rust_plugin(&folder);
    replace_in_file(&copied, "src/lib.rs", "limit: u32,", "limit: u33,");
    let error = build_error(&copied);
    assert!(error.contains("cannot find type `u33`"), "{error}");
    assert!(!error.contains("Compiling"), "{error}");
}

#[test]
fn a_go_plugin_may_have_the_name_of_a_standard_package() {
    let folder = tempfile::tempdir().unwrap();
    expect_success(&mut plugin_command(
        &["new", "fmt", "--lang", "go"],
        folder.path(),
    ));
    expect_success(&mut plugin_command(&["build"], folder.path()));
    run_in_shell("go test", folder.path());
}

#[test]
fn go_errors_name_the_plugins_own_folder_and_symbols() {
    let folder = scaffold("go");
    replace_in_file(
        folder.path(),
        "plugin.go",
        "\"fmt\"",
        "\"fmt\"\n\t_ \"example.org/nowhere\"",
    );
    let error = build_error(folder.path());
    let own = folder.path().canonicalize().unwrap();
    assert!(error.contains(&format!("cd {}", own.display())), "{error}");
    replace_in_file(
        folder.path(),
        "plugin.go",
        "\n\t_ \"example.org/nowhere\"",
        "",
    );
    replace_in_file(folder.path(), "plugin.go", "var Plugin", "var Other");
    let error = build_error(folder.path());
    assert!(error.contains("`var Plugin = synix.Plugin{"), "{error}");
}

#[test]
fn a_c_plugin_without_an_export_gets_an_error_that_names_it() {
    let folder = scaffold("c");
    replace_in_file(folder.path(), "plugin.c", "SYNIX_EXPORT(PLUGIN)", "");
    let error = build_error(folder.path());
    assert!(error.contains("`SYNIX_EXPORT(PLUGIN)`"), "{error}");
}

#[test]
fn the_c_helpers_read_json_split_inputs_and_send_requests_together() {
    let folder = scaffold("c");
    fs::write(folder.path().join("plugin.c"), TOPICS).unwrap();
    fs::write(folder.path().join("tests/test.c"), TOPICS_TEST).unwrap();
    run_in_shell(
        "zig cc -std=c11 -Wall -Wextra -Werror -Isdk tests/test.c -o test && ./test",
        folder.path(),
    );
    let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
    expect_success(&mut plugin_command(&["check"], Path::new(built.trim())));
}

#[test]
fn shape_all_needs_no_split_in_c_and_go() {
    for (language, file, per_input, all) in [
        (
            "c",
            "plugin.c",
            "SYNIX_PLUGIN_TYPES_SHAPE_PER_INPUT",
            "SYNIX_PLUGIN_TYPES_SHAPE_ALL",
        ),
        ("go", "plugin.go", "synix.PerInput", "synix.All"),
    ] {
        let folder = scaffold(language);
        replace_in_file(folder.path(), file, per_input, all);
        let run = run_one_unit(&folder).expect_code(0);
        let position = |label: &str| run.stdout.find(label).unwrap_or_else(|| panic!("{run:?}"));
        assert!(position(": feb-items") < position(": jan-items"), "{run:?}");
        assert!(run.stdout.contains("unit all"), "{run:?}");
    }
}

#[test]
fn console_log_in_typescript_needs_no_extra_types() {
    let folder = scaffold("ts");
    replace_in_file(
        folder.path(),
        "plugin.ts",
        "  const items",
        "  console.log(\"printed\", limit);\n  const items",
    );
    expect_success(&mut plugin_command(&["build"], folder.path()));
}

#[test]
fn an_invalid_descriptor_value_is_named_at_build_time() {
    for (language, file, from, to, message) in [
        (
            "js",
            "plugin.js",
            "version: \"0.1.0\"",
            "version: 1",
            "no text as its `version`",
        ),
        (
            "python",
            "plugin.py",
            "version = \"0.1.0\"",
            "version = 1",
            "ActionItems.version is not a text",
        ),
    ] {
        let folder = scaffold(language);
        replace_in_file(folder.path(), file, from, to);
        let error = build_error(folder.path());
        assert!(error.contains(message), "{error}");
        assert!(!error.contains("Stack backtrace"), "{error}");
    }
}

#[test]
fn an_invalid_output_value_is_named_in_the_units_failure() {
    for (language, file, from, to, message) in [
        (
            "js",
            "plugin.js",
            "execute(_unit",
            "async execute(_unit",
            "`execute` is async",
        ),
        (
            "js",
            "plugin.js",
            "kind, content,",
            "kind, content: 5,",
            "the content of the output `feb-items` is neither",
        ),
        (
            "js",
            "plugin.js",
            "{ source, count }",
            "{ source, count: undefined }",
            "`count` in the metadata",
        ),
        (
            "python",
            "plugin.py",
            "return [output for",
            "return [0 for",
            "not a list of Output",
        ),
    ] {
        let folder = scaffold(language);
        replace_in_file(folder.path(), file, from, to);
        let shape = if language == "js" {
            ["shape: \"per-input\"", "shape: \"all\""]
        } else {
            ["Shape.PER_INPUT", "Shape.ALL"]
        };
        replace_in_file(folder.path(), file, shape[0], shape[1]);
        let run = run_one_unit(&folder).expect_code(1);
        assert!(run.says(message), "{message}: {run:?}");
    }
}
