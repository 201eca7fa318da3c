//! Checks of the suite itself: every file is compiled, every snapshot and guest is used.

use std::fs;
use std::path::Path;

use crate::support::folders::files;

const SUITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/suite");

/// C10: a file without its `mod` line is never compiled, and its tests never run.
#[test]
fn every_file_of_the_suite_is_compiled() {
    let sources = files(Path::new(SUITE)).into_keys();
    for path in sources.filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "main" {
            continue;
        }
        let folder = path.parent().unwrap();
        let (module, parent) = if name == "mod" {
            (
                folder.file_name().unwrap().to_str().unwrap(),
                folder.parent().unwrap(),
            )
        } else {
            (name, folder)
        };
        let root = if parent == Path::new(SUITE) {
            "main.rs"
        } else {
            "mod.rs"
        };
        let listed = fs::read_to_string(parent.join(root)).unwrap();
        let line = format!("mod {module};");
        assert!(
            listed
                .lines()
                .any(|listed| listed.trim_start_matches("pub(crate) ") == line),
            "{} is not listed in {root}",
            path.display()
        );
    }
}

/// A snapshot of a renamed or removed test would otherwise stay for ever.
#[test]
fn every_snapshot_belongs_to_a_test() {
    for entry in fs::read_dir(format!("{SUITE}/snapshots")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let name = file.strip_suffix(".snap").unwrap_or_else(|| {
            panic!("{file} is not an accepted snapshot: compare it with its test and delete it")
        });
        let (module, test) = name
            .strip_prefix("suite__")
            .and_then(|name| name.rsplit_once("__"))
            .unwrap();
        // The second snapshot of a test ends with `-2`.
        let test = test.split('-').next().unwrap();
        let path = format!("{SUITE}/{}", module.replace("__", "/"));
        let source = fs::read_to_string(format!("{path}.rs"))
            .or_else(|_| fs::read_to_string(format!("{path}/mod.rs")));
        assert!(
            source.is_ok_and(|source| source.contains(&format!("fn {test}()"))),
            "{file} has no test"
        );
    }
}

/// Every guest has a test here or in the sandbox.
#[test]
fn every_guest_is_used_by_the_suite() {
    let sources: Vec<String> = files(Path::new(SUITE))
        .into_values()
        .filter_map(|bytes| String::from_utf8(bytes).ok())
        .collect();
    for (name, _) in synix_test_components::ALL {
        let quoted = format!("\"{name}\"");
        assert!(
            sources.iter().any(|source| source.contains(&quoted)),
            "no test uses {name}"
        );
    }
}
