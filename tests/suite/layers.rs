//! Modules depend downwards only: reads the library's source and the rows in its first doc comment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

#[test]
fn a_module_names_only_lower_rows() {
    let rows = rows();
    let mut wrong = Vec::new();
    for (module, path) in files() {
        let row = rows
            .get(&module)
            .unwrap_or_else(|| panic!("{module} is in no row of lib.rs"));
        for (number, named) in named(&fs::read_to_string(&path).unwrap()) {
            let below = rows
                .get(&named)
                .unwrap_or_else(|| panic!("{}:{number}: {named} is no module", path.display()));
            if named != module && below >= row {
                wrong.push(format!(
                    "{}:{number} names {named}, which is not below {module}",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// C7: whoever answers, one place makes rows of units and their outputs.
#[test]
fn units_become_rows_in_one_place() {
    for call in [".keep_unit(", ".add_artifact(", ".add_to_transcript("] {
        let callers: Vec<PathBuf> = files()
            .into_iter()
            .map(|(_, path)| path)
            .filter(|path| fs::read_to_string(path).unwrap().contains(call))
            .collect();
        assert_eq!(
            callers,
            [Path::new(SOURCE).join("build/journal.rs")],
            "{call}"
        );
    }
}

#[test]
fn every_row_in_the_doc_comment_is_a_module() {
    let modules: BTreeSet<String> = files().into_iter().map(|(module, _)| module).collect();
    let listed: BTreeSet<String> = rows().into_keys().collect();
    assert_eq!(listed, modules);
}

/// The row of each module, as `lib.rs` says: `//! 4  store · plugin     what they are`.
fn rows() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(format!("{SOURCE}/lib.rs")).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("//! ")) {
        let Some((row, rest)) = line.split_once("  ") else {
            continue;
        };
        let Ok(row) = row.parse() else { continue };
        let names = rest.split("  ").next().unwrap_or_default();
        rows.extend(names.split('·').map(|name| (name.trim().to_owned(), row)));
    }
    rows
}

/// Every file of the library that is not for tests, with its top module.
fn files() -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(SOURCE)];
    while let Some(folder) = folders.pop() {
        let for_tests = test_modules(&folder);
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(SOURCE).unwrap().to_owned();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            if inside == Path::new("lib.rs")
                || inside == Path::new("bin")
                || for_tests.contains(&stem)
            {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let top = inside
                    .components()
                    .next()
                    .unwrap()
                    .as_os_str()
                    .to_string_lossy()
                    .into_owned();
                files.push((top.trim_end_matches(".rs").to_owned(), path));
            }
        }
    }
    files
}

/// The modules that the files of a folder declare under `#[cfg(test)]`.
fn test_modules(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.trim() == "#[cfg(test)]" {
                let next = lines
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .trim_start_matches("pub(crate) ");
                names.extend(
                    next.strip_prefix("mod ")
                        .and_then(|name| name.strip_suffix(';'))
                        .map(str::to_owned),
                );
            }
        }
    }
    names
}

/// What follows `crate::` in code that is not for tests, with line numbers.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (position, line) in lines.iter().enumerate() {
        let next = lines.get(position + 1).map_or("", |next| next.trim());
        if line.trim() == "#[cfg(test)]" && next.starts_with("mod ") && next.ends_with('{') {
            break;
        }
        if line.trim_start().starts_with("//") {
            continue;
        }
        for after in line.split("crate::").skip(1) {
            let name: String = after
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            named.push((position + 1, name));
        }
    }
    named
}
