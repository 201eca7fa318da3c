//! Each crate with several versions is in `deny.toml`, with a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use toml::{Table, Value};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// The parts of `windows-targets`, one for each processor, have the versions of that crate.
const WINDOWS_TARGETS_PARTS: &str = "windows_";

#[test]
fn a_crate_with_two_versions_has_a_reason_in_deny_toml() {
    let skipped = skipped();
    let mut unknown = Vec::new();
    for (name, versions) in duplicates() {
        // The newest version stays when the others are gone.
        let older = versions.iter().take(versions.len() - 1);
        unknown.extend(
            older
                .filter(|version| !skipped.contains(&(name.clone(), compatible_version(version))))
                .map(|version| format!("{name} {version}"))
                .filter(|_| !name.starts_with(WINDOWS_TARGETS_PARTS)),
        );
    }
    assert!(
        unknown.is_empty(),
        "in Cargo.lock, but not in the list of deny.toml: {unknown:?}"
    );
}

#[test]
fn deny_toml_lists_no_duplicate_that_is_gone() {
    let duplicates = duplicates();
    for (name, version) in skipped() {
        let found = duplicates.get(&name).into_iter().flatten();
        assert!(
            found
                .map(|found| compatible_version(found))
                .any(|found| found == version),
            "deny.toml still lists {name}@{version}"
        );
    }
}

#[test]
fn cargo_deny_checks_duplicates_and_wildcards() {
    let deny = read("deny.toml");
    let bans = deny["bans"].as_table().unwrap();
    for check in ["multiple-versions", "wildcards"] {
        assert_eq!(bans[check].as_str(), Some("deny"), "{check}");
    }
}

fn read(name: &str) -> Table {
    fs::read_to_string(format!("{ROOT}/{name}"))
        .unwrap()
        .parse()
        .unwrap()
}

/// Returns the versions of each crate that has several, oldest first.
fn duplicates() -> BTreeMap<String, Vec<String>> {
    let lock = read("Cargo.lock");
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        versions
            .entry(text("name"))
            .or_default()
            .push(text("version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    for versions in versions.values_mut() {
        versions.sort_by_key(|version| numbers(version));
    }
    versions
}

/// Returns the names and versions in `skip`, with only the compatible part of a version.
fn skipped() -> BTreeSet<(String, String)> {
    let deny = read("deny.toml");
    let entry = |entry: &Value| {
        let reason = entry["reason"].as_str().unwrap();
        assert!(!reason.is_empty(), "{entry}");
        let (name, version) = entry["crate"].as_str().unwrap().split_once('@').unwrap();
        (name.to_owned(), version.to_owned())
    };
    let list = deny["bans"]["skip"].as_array().unwrap();
    list.iter().map(entry).collect()
}

fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(['+', '-']).next().unwrap();
    plain.split('.').map(|part| part.parse().unwrap()).collect()
}

/// `2` of 2.0.1, `0.52` of 0.52.6.
fn compatible_version(version: &str) -> String {
    match numbers(version).as_slice() {
        [0, minor, ..] => format!("0.{minor}"),
        [major, ..] => major.to_string(),
        [] => String::new(),
    }
}
