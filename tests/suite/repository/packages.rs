//! Published packages contain everything that they are compiled from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// crates.io only has what is published there.
#[test]
fn a_published_package_depends_only_on_published_packages() {
    let workspace = read(Path::new(ROOT));
    let shared = workspace["workspace"]["dependencies"].as_table().unwrap();
    let version = &workspace["workspace"]["package"]["version"];
    let published = published();
    for (name, manifest) in published.values() {
        let dependencies = manifest.get("dependencies").and_then(Value::as_table);
        for dependency in dependencies.into_iter().flat_map(|table| table.keys()) {
            let Some(own) = shared
                .get(dependency)
                .filter(|own| own.get("path").is_some())
            else {
                continue;
            };
            let folder = Path::new(own["path"].as_str().unwrap());
            assert!(
                published.contains_key(folder),
                "{name} depends on {dependency}, which is not published"
            );
            assert_eq!(own.get("version"), Some(version), "{dependency}");
        }
    }
    assert!(published.len() > 15, "{}", published.len());
}

/// `cargo package` takes only the files below the manifest. Tests are not compiled from a package.
#[test]
fn a_published_package_embeds_no_file_from_outside() {
    let mut outside = Vec::new();
    for folder in published().keys() {
        let root = Path::new(ROOT).join(folder);
        // A package without a `src` folder has one source file, beside the manifest.
        let mut open = vec![root.join("src")];
        if !open[0].is_dir() {
            let code = fs::read_to_string(root.join("lib.rs")).unwrap();
            outside.extend(
                code.lines()
                    .filter(|line| embeds_from_outside(line, 0))
                    .map(str::to_owned),
            );
            open.clear();
        }
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if path.is_dir() && name != "tests" {
                    open.push(path);
                } else if name.ends_with(".rs")
                    && !name.ends_with("tests.rs")
                    && name != "fixture.rs"
                {
                    let text = fs::read_to_string(&path).unwrap();
                    let code = text.split("#[cfg(test)]").next().unwrap();
                    let depth = path.strip_prefix(&root).unwrap().components().count() - 1;
                    let found = code.lines().filter(|line| embeds_from_outside(line, depth));
                    outside.extend(found.map(|line| format!("{}: {line}", path.display())));
                }
            }
        }
    }
    assert!(outside.is_empty(), "{outside:#?}");
}

/// Returns whether a line embeds a file by a path outside the package. `depth` is the depth of the line's file in it.
fn embeds_from_outside(line: &str, depth: usize) -> bool {
    let ups = line.matches("../").count();
    let of_the_file = ["include_str!", "include_bytes!"];
    let of_the_package = ["include_dir!", "path: \""];
    of_the_file.iter().any(|way| line.contains(way)) && ups > depth
        || of_the_package.iter().any(|way| line.contains(way)) && ups > 0
}

/// Returns the folders of the published packages, with their names and manifests.
fn published() -> BTreeMap<PathBuf, (String, Table)> {
    let workspace = read(Path::new(ROOT));
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let mut published = BTreeMap::new();
    for member in members {
        let folder = PathBuf::from(member.as_str().unwrap());
        let manifest = read(&Path::new(ROOT).join(&folder));
        let package = manifest["package"].as_table().unwrap();
        if !package.contains_key("publish") {
            let name = package["name"].as_str().unwrap().to_owned();
            published.insert(folder, (name, manifest));
        }
    }
    published
}

fn read(folder: &Path) -> Table {
    fs::read_to_string(folder.join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap()
}
