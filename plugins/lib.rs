//! The files that `synix plugin new` writes, but for the Rust SDK, which is a package of its own: the scaffolds and the
//! SDKs of the other languages, from the folders beside this file.
//!
//! ```
//! let go = synix_plugin_files::folder("scaffolds/go").unwrap();
//! assert!(go.iter().any(|(path, _)| path == std::path::Path::new("go.mod")));
//! ```

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

static SCAFFOLDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scaffolds");
static C: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sdk-c");
static GO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sdk-go");
static JS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sdk-js");
static PYTHON: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sdk-python");

/// The ending of a file whose name cargo would take for that of a package, and leave out.
const TEMPLATE: &str = "in";

/// Returns the files of `scaffolds/LANGUAGE` or `sdk-LANGUAGE`, by their paths in that folder.
pub fn folder(name: &str) -> Option<Vec<(PathBuf, &'static [u8])>> {
    let folder = match name {
        "sdk-c" => &C,
        "sdk-go" => &GO,
        "sdk-js" => &JS,
        "sdk-python" => &PYTHON,
        scaffold => {
            let language = Path::new(scaffold.strip_prefix("scaffolds/")?);
            SCAFFOLDS.dirs().find(|dir| dir.path() == language)?
        }
    };
    let mut files = Vec::new();
    let mut open = vec![folder];
    while let Some(dir) = open.pop() {
        open.extend(dir.dirs().filter(|dir| !is_left_over(dir.path())));
        files.extend(dir.files().filter_map(|file| {
            let path = file.path().strip_prefix(folder.path()).ok()?;
            Some((without_ending(path), file.contents()))
        }));
    }
    Some(files)
}

fn without_ending(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|ending| ending == TEMPLATE) {
        path.with_extension("")
    } else {
        path.to_owned()
    }
}

/// Returns whether a test run made the folder.
fn is_left_over(folder: &Path) -> bool {
    let names = ["__pycache__", "node_modules", "target"];
    names.iter().any(|name| folder.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rust_scaffold_is_a_package_although_cargo_leaves_packages_out() {
        let files = folder("scaffolds/rust").unwrap();
        let paths: Vec<_> = files.iter().map(|(path, _)| path.as_path()).collect();
        assert!(paths.contains(&Path::new("Cargo.toml")), "{paths:?}");
        assert!(paths.contains(&Path::new("src/lib.rs")), "{paths:?}");
    }

    #[test]
    fn a_folder_within_a_scaffold_is_none() {
        for name in ["scaffolds/rust/src", "scaffolds/", "scaffolds", "sdk", ""] {
            assert!(folder(name).is_none(), "{name}");
        }
    }
}
