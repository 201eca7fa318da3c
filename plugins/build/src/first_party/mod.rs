//! The first-party transforms and readers: the list of them, their sources, and how they are compiled.
//!
//! The repository contains their components, in `host/components/packed`, with the digests of the components and of their
//! sources. So you can build or install synix without a WebAssembly toolchain, and a component has the same digest for
//! every user. The digest is part of the fingerprint of every unit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use toml::Value;

use crate::BuildError;
use crate::files::{read, read_text};

#[cfg(feature = "first-party")]
mod build;
#[cfg(feature = "first-party")]
pub use build::build;

/// The first-party transforms and readers, each in `plugins/NAME`, package `synix-NAME`. The readers are the last.
pub const NAMES: [&str; 11] = [
    "chunk",
    "embed",
    "fold",
    "group",
    "map",
    "merge",
    "reduce",
    "chats",
    "documents",
    "mail",
    "rows",
];

/// The readers among [`NAMES`].
pub const READERS: [&str; 4] = ["chats", "documents", "mail", "rows"];

/// The folder of the packed components, relative to the root of the workspace.
pub(crate) const FOLDER: &str = "host/components/packed";

/// The file of digests. It has a line for each component: the digest of its sources, the digest of the unpacked component,
/// and its name.
const DIGESTS: &str = "digests.sha256";

/// Returns the names of the components whose sources or bytes do not match their digests.
pub fn outdated(root: &Path) -> Result<Vec<&'static str>, BuildError> {
    let kept = read_text(&root.join(FOLDER).join(DIGESTS))?;
    let mut outdated = Vec::new();
    for name in NAMES {
        let line = line(root, name, &component(root, name)?)?;
        if !kept.contains(&line) {
            outdated.push(name);
        }
    }
    Ok(outdated)
}

/// Reads and unpacks a component of the repository.
pub fn component(root: &Path, name: &str) -> Result<Vec<u8>, BuildError> {
    let path = component_path(root, name);
    let packed = read(&path)?;
    let mut component = Vec::new();
    brotli_decompressor::BrotliDecompress(&mut packed.as_slice(), &mut component)
        .map_err(|source| BuildError::Read { path, source })?;
    Ok(component)
}

fn component_path(root: &Path, name: &str) -> PathBuf {
    root.join(FOLDER).join(format!("{name}.wasm.br"))
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
    let Dependencies { packages, folders } = dependencies(root, &format!("synix-{name}"))?;
    for folder in folders {
        let folder = root.join("plugins").join(folder);
        collect(&folder.join("Cargo.toml"), &mut files)?;
        collect(&folder.join("src"), &mut files)?;
    }
    collect(&root.join("plugins/build/src/compile.rs"), &mut files)?;
    collect(&root.join("wit"), &mut files)?;
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
    for package in packages {
        field(&mut digest, &package);
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

/// What a package of the workspace is compiled from.
struct Dependencies {
    /// The locked packages that it depends on, itself included, and how the workspace requires those that it names.
    packages: Vec<String>,
    /// The folders in `plugins` of those that are members of the workspace.
    folders: BTreeSet<String>,
}

fn dependencies(root: &Path, package: &str) -> Result<Dependencies, BuildError> {
    let lock = read_toml(&root.join("Cargo.lock"))?;
    let packages = lock.get("package").and_then(Value::as_array);
    let mut by_name: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for entry in packages.into_iter().flatten() {
        if let Some(name) = entry.get("name").and_then(Value::as_str) {
            by_name.entry(name).or_default().push(entry);
        }
    }
    let mut reached = BTreeSet::new();
    let mut folders = BTreeSet::new();
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
                if entry.get("source").is_none() {
                    folders.insert(folder_of(name));
                }
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
    Ok(Dependencies {
        packages: reached.iter().cloned().chain(asked).collect(),
        folders,
    })
}

/// Returns the folder in `plugins` of a package of the workspace.
fn folder_of(package: &str) -> String {
    match package.strip_prefix("synix-").unwrap_or(package) {
        "plugin" => "sdk".to_owned(),
        folder => folder.to_owned(),
    }
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
            "run `cargo xtask components`: {outdated:?} changed"
        );
    }

    #[test]
    fn the_digest_covers_the_sdk_and_what_it_depends_on() {
        let Dependencies {
            packages: dependencies,
            folders,
        } = dependencies(&root(), "synix-map").unwrap();
        assert_eq!(folders.into_iter().collect::<Vec<_>>(), ["map", "sdk"]);
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
