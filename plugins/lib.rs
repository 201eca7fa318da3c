//! The files that `synix plugin new` writes: the scaffolds, and the SDKs of all languages except Rust. The Rust SDK is
//! a package of its own.
//!
//! ```
//! let go = synix_plugin_files::folder("scaffolds/go").unwrap();
//! assert!(go.iter().any(|(path, _)| path == std::path::Path::new("go.mod")));
//! ```

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

static SCAFFOLDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scaffolds");
static READER_SCAFFOLDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/reader-scaffolds");
static C: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sdk-c");
static GO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sdk-go");
static JS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sdk-js");
static PYTHON: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sdk-python");

/// The extension of a file whose real name is `Cargo.toml`. Without it, cargo would treat the folder as a package and
/// leave it out.
const TEMPLATE: &str = "in";

/// Returns the files of `scaffolds/LANGUAGE`, `reader-scaffolds/LANGUAGE` or `sdk-LANGUAGE`, by their paths in that folder.
pub fn folder(name: &str) -> Option<Vec<(PathBuf, &'static [u8])>> {
    let folder = match name {
        "sdk-c" => &C,
        "sdk-go" => &GO,
        "sdk-js" => &JS,
        "sdk-python" => &PYTHON,
        scaffold => {
            let (all, language) = match scaffold.split_once('/')? {
                ("scaffolds", language) => (&SCAFFOLDS, language),
                ("reader-scaffolds", language) => (&READER_SCAFFOLDS, language),
                _ => return None,
            };
            all.dirs().find(|dir| dir.path() == Path::new(language))?
        }
    };
    let mut files = Vec::new();
    let mut pending = vec![folder];
    while let Some(dir) = pending.pop() {
        pending.extend(dir.dirs().filter(|dir| !is_test_output(dir.path())));
        files.extend(dir.files().filter_map(|file| {
            let path = file.path().strip_prefix(folder.path()).ok()?;
            Some((without_extension(path), file.contents()))
        }));
    }
    Some(files)
}

fn without_extension(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|ending| ending == TEMPLATE) {
        path.with_extension("")
    } else {
        path.to_owned()
    }
}

/// Returns whether a test run created the folder.
fn is_test_output(folder: &Path) -> bool {
    let names = ["__pycache__", "node_modules", "target"];
    names.iter().any(|name| folder.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rust_scaffold_is_included_although_cargo_leaves_packages_out() {
        for name in ["scaffolds/rust", "reader-scaffolds/rust"] {
            let files = folder(name).unwrap();
            let paths: Vec<_> = files.iter().map(|(path, _)| path.as_path()).collect();
            assert!(paths.contains(&Path::new("Cargo.toml")), "{paths:?}");
            assert!(paths.contains(&Path::new("src/lib.rs")), "{paths:?}");
        }
    }

    #[test]
    fn only_whole_scaffolds_and_sdks_have_names() {
        for name in ["scaffolds/rust/src", "scaffolds/", "scaffolds", "sdk", ""] {
            assert!(folder(name).is_none(), "{name}");
        }
    }
}
