//! Packages the published crates, as crates.io would receive them, and compiles the packages.

use std::fs;

use crate::shell::{self, Failure, root};

pub(crate) fn run() -> Result<(), Failure> {
    println!("package");
    let mut cargo = shell::cargo();
    cargo.args(["package", "--locked"]);
    for name in published()? {
        cargo.args(["--package", &name]);
    }
    shell::run(cargo.current_dir(root()))
}

/// Returns the names of the members without `publish = false`.
fn published() -> Result<Vec<String>, Failure> {
    let read = |path: &str| {
        fs::read_to_string(root().join(path))
            .map_err(|error| Failure(format!("cannot read {path}: {error}")))
    };
    let mut names = Vec::new();
    for member in members(&read("Cargo.toml")?) {
        let path = format!("{member}/Cargo.toml");
        let manifest = read(&path)?;
        if manifest.contains("\npublish") {
            continue;
        }
        let name = manifest
            .lines()
            .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        names.push(
            name.ok_or_else(|| Failure(format!("{path} has no name")))?
                .to_owned(),
        );
    }
    Ok(names)
}

/// Parses the members from the manifest of the workspace, which has one on each line.
fn members(manifest: &str) -> Vec<&str> {
    manifest
        .lines()
        .skip_while(|line| *line != "members = [")
        .skip(1)
        .take_while(|line| *line != "]")
        .map(|line| line.trim().trim_matches(['"', ',']))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_crates_are_not_published() {
        let names = published().unwrap();
        for name in ["synix", "synix-core", "synix-contract", "synix-plugin"] {
            assert!(names.iter().any(|one| one == name), "{name}");
        }
        for name in [
            "xtask",
            "synix-bench",
            "synix-fuzz",
            "synix-scripted-provider",
            "synix-map",
        ] {
            assert!(!names.iter().any(|one| one == name), "{name}");
        }
    }
}
