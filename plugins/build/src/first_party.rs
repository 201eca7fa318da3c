//! The first-party transforms: the list of them, their sources, and how they are compiled.
//!
//! The repository contains their components, in `host/transforms/components`, with the digests of the components and of their sources. So you can build or install synix without a WebAssembly toolchain, and a component has the same digest for every user. The digest is part of the fingerprint of every unit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use toml::Value;

use crate::BuildError;
use crate::compile::{Compiler, Selection, target_dir_around};
use crate::component;
use crate::files::{read, read_text, write};
use crate::toolchain::Toolchain;

/// The first-party transforms, each in `plugins/NAME`, package `synix-NAME`.
pub const NAMES: [&str; 6] = ["chunk", "fold", "group", "map", "merge", "reduce"];

/// The folder of the components, relative to the root of the workspace.
pub const FOLDER: &str = "host/transforms/components";

/// The file of digests. It has a line for each component: the digest of its sources, the digest of the component, and
/// its name.
const DIGESTS: &str = "digests.sha256";

/// Compiles every transform, and writes the components and the digests.
///
/// Returns the names of the components whose bytes changed.
pub fn build(root: &Path) -> Result<Vec<&'static str>, BuildError> {
    let toolchain = Toolchain::from_environment();
    let compiler = Compiler {
        standard_library: toolchain.standard_library()?,
        toolchain,
        root: root.to_owned(),
        target_dir: target_dir_around(&root.join("target")),
        locked: true,
    };
    let mut changed = Vec::new();
    let mut digests = String::new();
    for name in NAMES {
        let manifest = root.join("plugins").join(name).join("Cargo.toml");
        let modules = compiler.compile(&manifest, Selection::Library)?;
        let component = component::encode(&modules.join(format!("synix_{name}.wasm")))?;
        let path = component_path(root, name);
        if fs::read(&path).ok().as_deref() != Some(&component) {
            changed.push(name);
            write(&path, &component)?;
        }
        digests.push_str(&line(root, name, &component)?);
    }
    write(&root.join(FOLDER).join(DIGESTS), digests.as_bytes())?;
    Ok(changed)
}

/// Returns the names of the transforms whose sources or components do not match their digests.
pub fn outdated(root: &Path) -> Result<Vec<&'static str>, BuildError> {
    let kept = read_text(&root.join(FOLDER).join(DIGESTS))?;
    let mut outdated = Vec::new();
    for name in NAMES {
        let line = line(root, name, &read(&component_path(root, name))?)?;
        if !kept.contains(&line) {
            outdated.push(name);
        }
    }
    Ok(outdated)
}

/// Returns the path of the component of a transform.
pub fn component_path(root: &Path, name: &str) -> PathBuf {
    root.join(FOLDER).join(format!("{name}.wasm"))
}

fn line(root: &Path, name: &str, component: &[u8]) -> Result<String, BuildError> {
    let sources = sources_digest(root, name)?;
    let component = hex(Sha256::new().chain_update(component));
    Ok(format!("{sources}  {component}  {name}\n"))
}

fn hex(digest: Sha256) -> String {
    let bytes = digest.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the digest of all sources of a component, without the compiler.
fn sources_digest(root: &Path, name: &str) -> Result<String, BuildError> {
    let mut files = Vec::new();
    for part in [
        format!("plugins/{name}/Cargo.toml"),
        format!("plugins/{name}/src"),
        "plugins/sdk/Cargo.toml".to_owned(),
        "plugins/sdk/src".to_owned(),
        "plugins/build/src/compile.rs".to_owned(),
        "wit".to_owned(),
    ] {
        collect(&root.join(part), &mut files)?;
    }
    // The documentation of the contract does not affect a component.
    files.retain(|file| file.extension().is_none_or(|extension| extension != "md"));
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let shown = file.strip_prefix(root).unwrap_or(&file);
        let shown = shown.to_string_lossy().replace('\\', "/");
        let text = read_text(&file)?.replace("\r\n", "\n");
        field(&mut digest, &shown);
        field(&mut digest, &text);
    }
    for dependency in dependencies(root, &format!("synix-{name}"))? {
        field(&mut digest, &dependency);
    }
    Ok(hex(digest))
}

fn field(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_le_bytes());
    digest.update(text);
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), BuildError> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let failed = |source| BuildError::Read {
        path: path.to_owned(),
        source,
    };
    for entry in fs::read_dir(path).map_err(failed)? {
        collect(&entry.map_err(failed)?.path(), files)?;
    }
    Ok(())
}

/// Returns the locked packages that a package depends on, and how the workspace requires those that it names.
fn dependencies(root: &Path, package: &str) -> Result<Vec<String>, BuildError> {
    let lock = read_toml(&root.join("Cargo.lock"))?;
    let packages = lock.get("package").and_then(Value::as_array);
    let mut by_name: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for entry in packages.into_iter().flatten() {
        if let Some(name) = entry.get("name").and_then(Value::as_str) {
            by_name.entry(name).or_default().push(entry);
        }
    }
    let mut reached = BTreeSet::new();
    let mut open = vec![package.to_owned()];
    while let Some(wanted) = open.pop() {
        // An entry is `name`, or `name version` if the lock file has several versions.
        let mut words = wanted.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next());
        for entry in by_name.get(name).into_iter().flatten() {
            let own = entry.get("version").and_then(Value::as_str);
            if version.is_some() && version != own {
                continue;
            }
            if reached.insert(format!("{name} {}", own.unwrap_or_default())) {
                let next = entry.get("dependencies").and_then(Value::as_array);
                open.extend(
                    next.into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .map(str::to_owned),
                );
            }
        }
    }
    let manifest = read_toml(&root.join("Cargo.toml"))?;
    let asked = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table);
    let names: BTreeSet<&str> = reached
        .iter()
        .filter_map(|entry| entry.split(' ').next())
        .collect();
    let asked = asked
        .into_iter()
        .flatten()
        .filter(|(name, _)| names.contains(name.as_str()));
    let asked: Vec<String> = asked
        .map(|(name, entry)| format!("{name} = {entry}"))
        .collect();
    Ok(reached.iter().cloned().chain(asked).collect())
}

fn read_toml(path: &Path) -> Result<Value, BuildError> {
    let text = read_text(path)?;
    text.parse::<toml::Table>()
        .map(Value::Table)
        .map_err(|error| BuildError::Read {
            path: path.to_owned(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn the_components_are_those_of_these_sources() {
        let outdated = outdated(&root()).unwrap();
        assert!(
            outdated.is_empty(),
            "run `cargo xtask transforms`: {outdated:?} changed"
        );
    }

    #[test]
    fn the_digest_covers_the_sdk_and_what_it_depends_on() {
        let dependencies = dependencies(&root(), "synix-map").unwrap();
        for name in [
            "synix-map ",
            "synix-plugin ",
            "minijinja ",
            "serde_json ",
            "minijinja = ",
        ] {
            assert!(
                dependencies.iter().any(|entry| entry.starts_with(name)),
                "{name}: {dependencies:?}"
            );
        }
        assert!(
            !dependencies
                .iter()
                .any(|entry| entry.starts_with("wasmtime "))
        );
        let (map, reduce) = (
            sources_digest(&root(), "map"),
            sources_digest(&root(), "reduce"),
        );
        assert_ne!(map.unwrap(), reduce.unwrap());
    }
}
