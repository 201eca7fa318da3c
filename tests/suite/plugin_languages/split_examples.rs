//! The `split` example of the documents in each language: all make the same units, and their own tests call `split`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::invocation::Run;
use crate::support::plugin_tools::{
    built_example, expect_success, languages, plugin_command, run_in_shell, scaffold,
};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests/split");

/// A language, the file of its plugin, the files of its test with their targets, and the command that runs it.
type Example = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const FILES: [Example; 6] = [
    (
        "c",
        "plugin.c",
        &[("test.c", "tests/test.c")],
        "zig cc -std=c11 -Wall -Wextra -Werror -Isdk tests/test.c -o t && ./t",
    ),
    (
        "go",
        "plugin.go",
        &[("plugin_test.go", "plugin_test.go")],
        "go test",
    ),
    (
        "js",
        "plugin.js",
        &[("plugin.test.js", "plugin.test.js")],
        "node --test",
    ),
    (
        "python",
        "plugin.py",
        &[("test_plugin.py", "test_plugin.py")],
        "python3 -m unittest",
    ),
    ("rust", "lib.rs", &[], ""),
    ("ts", "plugin.ts", &[], ""),
];

/// Makes the folder of the example from the scaffold.
fn example(language: &str, into: &TempDir) -> PathBuf {
    let folder = into.path().join("example");
    if language == "rust" {
        // The output of an earlier build saves most of the work.
        let mut command = Command::new("cp");
        expect_success(
            command
                .arg("-r")
                .arg(&built_example("rust").folder)
                .arg(&folder),
        );
    } else {
        fs::rename(scaffold(language).keep(), &folder).unwrap();
    }
    folder
}

#[test]
fn split_makes_the_same_units_in_every_language() {
    let mut records = Vec::new();
    for language in languages() {
        let (_, source, tests, test) = FILES.iter().find(|one| one.0 == language).unwrap();
        let into = tempfile::tempdir().unwrap();
        let folder = example(&language, &into);
        let copy = |from: &str, to: &str| {
            fs::copy(Path::new(EXAMPLES).join(from), folder.join(to)).unwrap();
        };
        copy(
            source,
            if language == "rust" {
                "src/lib.rs"
            } else {
                source
            },
        );
        if language == "go" {
            fs::remove_file(folder.join("plugin_test.go")).unwrap();
        }
        for (from, to) in *tests {
            copy(from, to);
        }
        if !test.is_empty() {
            run_in_shell(test, &folder);
        }
        let built = expect_success(&mut plugin_command(&["build"], &folder)).stdout;
        expect_success(&mut plugin_command(&["check"], Path::new(built.trim())));
        for (name, text) in [
            ("b.md", "---\ntopic: x\n---\ntwo"),
            ("a.md", "---\ntopic: x\n---\none"),
            ("c.md", "three"),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let arguments = ["run", built.trim(), "--json", "--unit", "x", "--input"];
        let mut command = plugin_command(&arguments, &folder.join("a.md"));
        for other in ["b.md", "c.md"] {
            command.arg("--input").arg(folder.join(other));
        }
        let mut record = Run::of(&mut command).expect_code(0).json();
        record.as_object_mut().unwrap().remove("fuel");
        assert_eq!(record["outputs"][0]["content"], "one\ntwo", "{language}");
        records.push((language, record));
    }
    for (language, record) in &records {
        assert_eq!(record, &records[0].1, "{language}");
    }
}
