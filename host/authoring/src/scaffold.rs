//! A plugin's folder to start from: the example in one language, the SDK's source and the contract.

use std::fs;
use std::path::{Path, PathBuf};

use super::Language;
use synix_disk::DiskError;

type Files = Vec<(PathBuf, &'static [u8])>;

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
    let example = synix_plugin_files::folder(&format!("scaffolds/{}", language.name()));
    let (Some(example), Some((sdk, into))) = (example, sdk(language)) else {
        return Err(ScaffoldError::NoScaffold { language });
    };
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (path, bytes) in example {
        files.push((path, named(bytes, name)));
    }
    for (path, bytes) in sdk {
        files.push((Path::new(into).join(path), bytes.to_owned()));
    }
    for (name, text) in synix_contract::FILES {
        files.push((Path::new("wit").join(name), text.as_bytes().to_owned()));
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

/// Returns the files of a language's SDK, and where they go in the plugin's folder.
fn sdk(language: Language) -> Option<(Files, &'static str)> {
    let (folder, into) = match language {
        // Two folders deep, as in this repository, because it names the contract by its path.
        Language::Rust => return Some((rust_sdk(), "sdk/synix-plugin")),
        Language::Python => ("sdk-python", "sdk"),
        Language::Js | Language::Ts => ("sdk-js", "sdk"),
        Language::C => ("sdk-c", "sdk"),
        Language::Go => ("sdk-go", "sdk"),
    };
    Some((synix_plugin_files::folder(folder)?, into))
}

fn rust_sdk() -> Files {
    let files = synix_plugin::sources::FILES.iter();
    files
        .map(|(path, text)| (PathBuf::from(path), text.as_bytes()))
        .collect()
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
        let (_, manifest) = synix_plugin::sources::FILES[0];
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
