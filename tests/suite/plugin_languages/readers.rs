//! A reader by its author, in each language that has a scaffold: from `plugin new` to the artifacts of its first file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::invocation::Run;
use crate::support::plugin_tools::{expect_success, plugin_command, run_in_shell};

/// A reader as `synix plugin new --kind reader` and `synix plugin build` make it.
pub(crate) struct MadeReader {
    pub folder: PathBuf,
    pub file: PathBuf,
}

const LANGUAGES: [&str; 4] = ["rust", "python", "js", "ts"];

/// The example in a language with nothing edited, made once for all tests. It reads `example.cards` in its folder; a
/// pipeline names `file` as `read`.
#[track_caller]
pub(crate) fn made_reader(language: &str) -> &'static MadeReader {
    static MADE: [OnceLock<MadeReader>; 4] = [const { OnceLock::new() }; 4];
    let at = LANGUAGES.iter().position(|known| *known == language);
    MADE[at.unwrap()].get_or_init(|| {
        let folders = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reader-examples");
        let folder = folders.join(language);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        create(language, &folder);
        build(folder)
    })
}

#[track_caller]
fn create(language: &str, folder: &Path) {
    let arguments = ["new", "cards", "--kind", "reader", "--lang", language];
    expect_success(&mut plugin_command(&arguments, folder));
}

#[track_caller]
fn build(folder: PathBuf) -> MadeReader {
    let built = expect_success(&mut plugin_command(&["build", "--json"], &folder)).json();
    assert_eq!(built["kind"], "reader");
    MadeReader {
        file: folder.join("cards.wasm"),
        folder,
    }
}

/// Runs a command on a component with its example file as the input.
fn on_example(reader: &MadeReader, arguments: &[&str], file: &OsStr) -> Run {
    let mut command = plugin_command(arguments, &reader.file);
    command.arg("--input").arg(file).current_dir(&reader.folder);
    Run::of(&mut command)
}

/// The same test for each language: the examples make the same artifacts of the same file.
#[track_caller]
fn passes(language: &str, own_test: &str) {
    let reader = made_reader(language);
    run_in_shell(own_test, &reader.folder);
    let found = expect_success(&mut plugin_command(&["inspect", "--json"], &reader.file)).json();
    assert_eq!(
        (&found["kind"], &found["name"]),
        (&json!("reader"), &json!("cards"))
    );
    assert_eq!(found["capabilities"], json!([]));
    let example = OsStr::new("example.cards");
    let report = on_example(reader, &["check", "--json"], example).json();
    assert_eq!(
        (&report["failed"], &report["skipped"]),
        (&json!(0), &json!(0)),
        "{report:#}"
    );
    let record = on_example(reader, &["run", "--json"], example)
        .expect_code(0)
        .json();
    let artifacts = record["artifacts"].as_array().unwrap().iter();
    let artifacts: Vec<Value> = artifacts
        .map(|one| {
            json!([
                one["label"],
                one["kind"],
                one["content"],
                one["place"],
                one["metadata"]
            ])
        })
        .collect();
    let roof = json!({"file": "example.cards", "title": "The roof", "date": "2026-03-02"});
    let rent = json!({"file": "example.cards", "title": "The rent"});
    assert_eq!(
        artifacts,
        [
            json!([
                "example-1",
                "card",
                "Call Ann about the roof.\nIt leaks.",
                "line 1",
                roof
            ]),
            json!([
                "example-3",
                "card",
                "Pay the rent by Friday.",
                "line 8",
                rent
            ]),
        ]
    );
    assert_eq!(
        record["skipped"],
        json!([{"reason": "empty", "count": 1, "examples": ["example.cards: line 6: Nothing"]}])
    );
}

#[test]
fn a_new_reader_in_rust_builds_passes_its_checks_and_reads() {
    passes("rust", "cargo test");
}

#[test]
fn a_new_reader_in_python_builds_passes_its_checks_and_reads() {
    passes("python", "python3 -m unittest");
}

#[test]
fn a_new_reader_in_javascript_builds_passes_its_checks_and_reads() {
    passes("js", "npm test");
}

#[test]
fn a_new_reader_in_typescript_builds_passes_its_checks_and_reads() {
    passes("ts", "npm test");
}

/// What the author did not catch is named with the author's own file and line, and loses only the file.
#[test]
fn an_uncaught_error_of_a_reader_is_shown_with_its_file_and_line() {
    for (language, file, from, to, shown) in [
        (
            "python",
            "plugin.py",
            "        lines = file.open()",
            "        raise ValueError(f\"odd {file.size}\")\n        lines = file.open()",
            "ValueError: odd 125",
        ),
        (
            "js",
            "plugin.js",
            "    let number = 0;",
            "    throw new Error(`odd ${file.size}`);\n    let number = 0;",
            "Error: odd 125",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let reader = edited(&folder, language, file, from, to);
        let run = on_example(&reader, &["run"], OsStr::new("example.cards")).expect_code(1);
        assert!(
            run.says(&format!(
                "failed: example.cards: crashed: uncaught exception: {shown}"
            )),
            "{run:?}"
        );
        assert!(run.says(&format!("{file}:")), "{run:?}");
    }
}

/// Artifacts that a reader returns, as a transform does, would be lost in silence.
#[test]
fn a_reader_that_returns_something_is_told_to_emit_it() {
    for (language, file, from, to) in [
        (
            "python",
            "plugin.py",
            "        lines = file.open()",
            "        yield 1\n        lines = file.open()",
        ),
        ("js", "plugin.js", "  read(file, {", "  *read(file, {"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let reader = edited(&folder, language, file, from, to);
        let run = on_example(&reader, &["run"], OsStr::new("example.cards")).expect_code(1);
        assert!(
            run.says("it hands over artifacts with `emit` and returns nothing"),
            "{run:?}"
        );
    }
}

/// Builds the example in `folder` with one part of a file replaced.
#[track_caller]
fn edited(folder: &TempDir, language: &str, file: &str, from: &str, to: &str) -> MadeReader {
    create(language, folder.path());
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
    build(folder.path().to_owned())
}

#[test]
fn a_project_of_the_other_kind_is_told_which_line_says_so() {
    for (kind, language, file, from, to, told) in [
        (
            "reader",
            "python",
            "pyproject.toml",
            "kind = \"reader\"",
            "",
            "`transform` in plugin.py is None, not an instance of a Transform; for a reader, set `kind = \"reader\"`",
        ),
        (
            "transform",
            "python",
            "pyproject.toml",
            "[tool.mypy]",
            "[tool.synix]\nkind = \"reader\"\n[tool.mypy]",
            "`reader` in plugin.py is None, not an instance of a Reader; for a transform, remove `kind`",
        ),
        (
            "reader",
            "js",
            "package.json",
            "\"kind\": \"reader\"",
            "",
            "has no function `execute`; for a reader, set `\"synix\": {\"kind\": \"reader\"}`",
        ),
        (
            "transform",
            "js",
            "package.json",
            "\"private\"",
            "\"synix\": {\"kind\": \"reader\"}, \"private\"",
            "has no function `read`; for a transform, remove `kind`",
        ),
        (
            "reader",
            "js",
            "package.json",
            "\"kind\": \"reader\"",
            "\"kind\": \"readr\"",
            "`synix.kind` is \"readr\"; it must be \"transform\" or \"reader\"",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["new", "cards", "--kind", kind, "--lang", language];
        expect_success(&mut plugin_command(&arguments, folder.path()));
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
        let run = Run::of(&mut plugin_command(&["build"], folder.path())).expect_code(1);
        assert!(run.says(told), "{told}: {run:?}");
    }
}

#[test]
fn a_language_without_readers_names_those_that_have_them() {
    for (language, title) in [("c", "C"), ("go", "Go")] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["new", "cards", "--kind", "reader", "--lang", language];
        let run = Run::of(&mut plugin_command(&arguments, folder.path())).expect_code(2);
        let told = format!(
            "there is no scaffold of a reader in {title}: use --lang rust, python, js or ts"
        );
        assert!(run.says(&told), "{run:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
