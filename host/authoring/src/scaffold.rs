//! A plugin's folder to start from: the example in one language, the SDK's source and the contract.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};

use super::{Language, contract};
use synix_disk::DiskError;

static SCAFFOLDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugins/scaffolds");
static RUST: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugins/sdk");
static PYTHON: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugins/sdk-python");
static JS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugins/sdk-js");
static C: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugins/sdk-c");
static GO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugins/sdk-go");

/// What stands in a scaffold where the plugin's name goes.
const NAME: &str = "{{name}}";
const NAME_CHARS: usize = 64;
/// What cargo knows the SDK by.
const SDK_CRATE: &str = "synix-plugin";

/// Why there is no new plugin.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// Not every tool takes the name.
    #[error(
        "{name:?} cannot name a plugin: it begins with a lower-case letter and has lower-case letters, digits and \
        single hyphens between them, at most {NAME_CHARS}{}", advice(.name)
    )]
    Name {
        /// What was asked for.
        name: String,
    },
    /// The SDK has the name.
    #[error(
        "`{name}` is the name of the SDK itself, and cargo takes no two packages of one name; choose another"
    )]
    Taken {
        /// What was asked for.
        name: String,
    },
    /// The folder has something in it.
    #[error("{} is not empty; nothing was written", .folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// There is something else in the folder's place, or it cannot be read.
    #[error("cannot use {} as the plugin's folder", .folder.display())]
    Folder {
        /// The path.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// This program has no scaffold for the language.
    #[error("there is no scaffold for {language}")]
    NoScaffold {
        /// The language.
        language: Language,
    },
    /// The file system refused.
    #[error("the plugin is not complete")]
    Disk(#[from] DiskError),
}

/// Fills `folder`, which is empty or not there, and returns the paths written, relative to it.
pub fn scaffold(
    name: &str,
    language: Language,
    folder: &Path,
) -> Result<Vec<PathBuf>, ScaffoldError> {
    if !is_name(name) {
        return Err(ScaffoldError::Name {
            name: name.to_owned(),
        });
    }
    if language == Language::Rust && name == SDK_CRATE {
        return Err(ScaffoldError::Taken {
            name: name.to_owned(),
        });
    }
    check_empty(folder)?;
    let (Some(example), Some((sdk, into))) = (SCAFFOLDS.get_dir(language.name()), sdk(language))
    else {
        return Err(ScaffoldError::NoScaffold { language });
    };
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (path, bytes) in files_of(example) {
        files.push((path, named(bytes, name)));
    }
    for (path, bytes) in files_of(sdk) {
        files.push((Path::new(into).join(path), bytes.to_owned()));
    }
    for file in contract::files() {
        files.push((
            Path::new("wit").join(file.path()),
            file.contents().to_owned(),
        ));
    }
    files.sort();
    for (path, bytes) in &files {
        let target = folder.join(path);
        if let Some(parent) = target.parent() {
            synix_disk::create_folder(parent)?;
        }
        synix_disk::replace(&target, bytes)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// The SDK of a language and where in the plugin's folder it goes.
const fn sdk(language: Language) -> Option<(&'static Dir<'static>, &'static str)> {
    match language {
        // Two folders deep, as it stands here, because it names the contract by its path.
        Language::Rust => Some((&RUST, "sdk/synix-plugin")),
        Language::Python => Some((&PYTHON, "sdk")),
        Language::Js | Language::Ts => Some((&JS, "sdk")),
        Language::C => Some((&C, "sdk")),
        Language::Go => Some((&GO, "sdk")),
    }
}

fn named(text: &[u8], name: &str) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) => text.replace(NAME, name).into_bytes(),
        Err(_) => text.to_owned(),
    }
}

/// Cargo, Python, npm and Go all take such a name.
fn is_name(name: &str) -> bool {
    let parts = || name.split('-');
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= NAME_CHARS
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && parts().all(|part| !part.is_empty() && part.chars().all(is_plain))
}

/// Says which name would do, and where a path goes.
fn advice(name: &str) -> String {
    let is_path = name.contains(['/', '\\']);
    let last = name.rsplit(['/', '\\']).find(|part| !part.is_empty());
    let mut near = String::new();
    for c in last.unwrap_or_default().chars() {
        if c.is_ascii_alphanumeric() {
            near.push(c.to_ascii_lowercase());
        } else if !c.is_ascii() {
            // What is left would be another word.
            return String::new();
        } else if !near.is_empty() && !near.ends_with('-') {
            near.push('-');
        }
    }
    let near = near.trim_end_matches('-');
    match is_name(near) {
        false => String::new(),
        true if is_path => {
            format!(
                "; the folder stands behind the name: `synix plugin new {near} --lang LANGUAGE {name}`"
            )
        }
        true => format!("; `{near}` would do"),
    }
}

fn check_empty(folder: &Path) -> Result<(), ScaffoldError> {
    let fails = |source| ScaffoldError::Folder {
        folder: folder.to_owned(),
        source,
    };
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(fails(error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(ScaffoldError::NotEmpty {
                folder: folder.to_owned(),
            }),
        },
    }
}

/// The files of an embedded folder by their paths in it, without what a test run leaves behind.
fn files_of(folder: &'static Dir<'static>) -> Vec<(PathBuf, &'static [u8])> {
    let mut files = Vec::new();
    let mut open = vec![folder];
    while let Some(dir) = open.pop() {
        for entry in dir.entries() {
            match entry {
                DirEntry::Dir(dir) if !is_left_over(dir.path()) => open.push(dir),
                DirEntry::Dir(_) => {}
                DirEntry::File(file) => {
                    if let Ok(path) = file.path().strip_prefix(folder.path()) {
                        files.push((path.to_owned(), file.contents()));
                    }
                }
            }
        }
    }
    files
}

fn is_left_over(folder: &Path) -> bool {
    let names = ["__pycache__", "node_modules", "target"];
    names.iter().any(|name| folder.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_every_tool_takes() {
        for good in ["a", "action-items", "top10"] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            "A",
            "1st",
            "-a",
            "a-",
            "a--b",
            "a_b",
            "a/b",
            "ä",
            &"a".repeat(65),
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_that_is_refused_is_told_one_that_is_not() {
        for (given, near) in [
            ("My Plugin", "; `my-plugin` would do"),
            ("--a__b!", "; `a-b` would do"),
            ("9lives", ""),
            ("ünï", ""),
            ("", ""),
        ] {
            assert_eq!(advice(given), near, "{given}");
        }
        let path = advice("plugins/Mine/");
        assert!(
            path.ends_with("`synix plugin new mine --lang LANGUAGE plugins/Mine/`"),
            "{path}"
        );
    }

    #[test]
    fn cargo_takes_no_plugin_that_is_called_as_the_sdk() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = RUST
            .get_file("Cargo.toml")
            .unwrap()
            .contents_utf8()
            .unwrap();
        assert!(manifest.contains(&format!("name = \"{SDK_CRATE}\"")));
        let refused = scaffold(SDK_CRATE, Language::Rust, folder.path());
        assert!(matches!(refused, Err(ScaffoldError::Taken { .. })));
        assert!(scaffold(SDK_CRATE, Language::C, folder.path()).is_ok());
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        synix_disk::replace(&folder.path().join("mine"), b"x").unwrap();
        let refused = scaffold("a", Language::Rust, folder.path());
        assert!(matches!(refused, Err(ScaffoldError::NotEmpty { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_name_stands_in_every_scaffold_and_no_place_for_it_is_left() {
        let folder = tempfile::tempdir().unwrap();
        for language in Language::ALL.into_iter().filter(|one| sdk(*one).is_some()) {
            let target = folder.path().join(language.name());
            let files = scaffold("given-name", language, &target).unwrap();
            let texts: Vec<_> = files
                .iter()
                .map(|file| fs::read_to_string(target.join(file)).unwrap())
                .collect();
            assert!(
                texts.iter().any(|text| text.contains("given-name")),
                "{language}"
            );
            assert!(!texts.iter().any(|text| text.contains(NAME)), "{language}");
            assert!(target.join("wit/world.wit").is_file(), "{language}");
        }
    }
}
