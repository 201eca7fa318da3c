//! Creates the folder of a new plugin: an example in one language, the source of the SDK, and the contract.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Language, PluginKind};
use synix_disk::DiskError;

type Files = Vec<(PathBuf, &'static [u8])>;

/// The placeholder for the name of the plugin.
const NAME: &str = "{{name}}";
const NAME_CHARS: usize = 64;
/// The name of the SDK's package.
const SDK_CRATE: &str = "synix-plugin";

/// Why a plugin could not be created.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// The name is not valid in every tool.
    #[error(
        "{name:?} is not a valid plugin name: it must begin with a lower-case letter and have only lower-case letters, \
        digits and single hyphens between them, at most {NAME_CHARS} characters{}", advice(.name)
    )]
    Name {
        /// What was asked for.
        name: String,
    },
    /// The name is that of the SDK.
    #[error(
        "`{name}` is the name of the SDK, and cargo does not allow two packages of the same name; choose another name"
    )]
    ReservedName {
        /// What was asked for.
        name: String,
    },
    /// The folder is not empty.
    #[error("{} is not empty; nothing was written", .folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// The path is not a folder, or cannot be read.
    #[error("cannot use {} as the plugin's folder", .folder.display())]
    Folder {
        /// The path of the folder.
        folder: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// There is no scaffold for the language.
    #[error("there is no scaffold of a {kind} in {}: {}", .language.title(), alternatives(*.kind))]
    NoScaffold {
        /// The kind of the plugin.
        kind: PluginKind,
        /// The language.
        language: Language,
    },
    /// A file could not be written.
    #[error("the plugin is incomplete; delete its folder and try again")]
    Disk(#[from] DiskError),
}

/// Creates a plugin in `folder`, which must be empty or absent. Returns the paths of the files, relative to it.
pub fn scaffold(
    name: &str,
    kind: PluginKind,
    language: Language,
    folder: &Path,
) -> Result<Vec<PathBuf>, ScaffoldError> {
    if !is_name(name) {
        return Err(ScaffoldError::Name {
            name: name.to_owned(),
        });
    }
    if language == Language::Rust && name == SDK_CRATE {
        return Err(ScaffoldError::ReservedName {
            name: name.to_owned(),
        });
    }
    check_empty(folder)?;
    let (Some(example), Some((sdk, into))) = (example(kind, language), sdk(language)) else {
        return Err(ScaffoldError::NoScaffold { kind, language });
    };
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (path, bytes) in example {
        files.push((path, insert_name(bytes, name)));
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

/// Returns the files of the example of a kind of plugin in a language; `None` if the SDK does not have this kind.
fn example(kind: PluginKind, language: Language) -> Option<Files> {
    let folder = match kind {
        PluginKind::Transform => "scaffolds",
        PluginKind::Reader => "reader-scaffolds",
    };
    synix_plugin_files::folder(&format!("{folder}/{}", language.name()))
}

/// Names the languages that have a scaffold of a kind.
fn alternatives(kind: PluginKind) -> String {
    let mut known: Vec<&str> = Language::ALL
        .into_iter()
        .filter(|language| example(kind, *language).is_some())
        .map(Language::name)
        .collect();
    let last = known.pop().unwrap_or_default();
    format!("use --lang {} or {last}", known.join(", "))
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

fn insert_name(text: &[u8], name: &str) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) => text.replace(NAME, name).into_bytes(),
        Err(_) => text.to_owned(),
    }
}

/// Returns whether a name is valid for cargo, Python, npm and Go.
fn is_name(name: &str) -> bool {
    let parts = || name.split('-');
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= NAME_CHARS
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && parts().all(|part| !part.is_empty() && part.chars().all(is_plain))
}

/// Suggests a valid name. If the name is a path, says how to pass the path.
fn advice(name: &str) -> String {
    let is_path = name.contains(['/', '\\']);
    let last = name.rsplit(['/', '\\']).find(|part| !part.is_empty());
    let mut near = String::new();
    for c in last.unwrap_or_default().chars() {
        if c.is_ascii_alphanumeric() {
            near.push(c.to_ascii_lowercase());
        } else if !c.is_ascii() {
            // Without these characters it would be another word.
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
                "; pass the folder after the name: `synix plugin new {near} --lang LANGUAGE {name}`"
            )
        }
        true => format!("; for example `{near}`"),
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
    fn a_name_must_be_valid_in_every_tool() {
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
    fn the_error_of_an_invalid_name_suggests_a_valid_one() {
        for (name, suggestion) in [
            ("My Plugin", "; for example `my-plugin`"),
            ("--a__b!", "; for example `a-b`"),
            ("9lives", ""),
            ("ünï", ""),
            ("", ""),
        ] {
            assert_eq!(advice(name), suggestion, "{name}");
        }
        let path = advice("plugins/Mine/");
        assert!(
            path.ends_with("`synix plugin new mine --lang LANGUAGE plugins/Mine/`"),
            "{path}"
        );
    }

    #[test]
    fn a_rust_plugin_cannot_have_the_name_of_the_sdk() {
        let folder = tempfile::tempdir().unwrap();
        let (_, manifest) = synix_plugin::sources::FILES[0];
        assert!(manifest.contains(&format!("name = \"{SDK_CRATE}\"")));
        let refused = scaffold(
            SDK_CRATE,
            PluginKind::Transform,
            Language::Rust,
            folder.path(),
        );
        assert!(matches!(refused, Err(ScaffoldError::ReservedName { .. })));
        assert!(scaffold(SDK_CRATE, PluginKind::Transform, Language::C, folder.path()).is_ok());
    }

    #[test]
    fn a_folder_that_is_not_empty_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        synix_disk::replace(&folder.path().join("mine"), b"x").unwrap();
        let refused = scaffold("a", PluginKind::Transform, Language::Rust, folder.path());
        assert!(matches!(refused, Err(ScaffoldError::NotEmpty { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn every_scaffold_has_the_name_and_no_placeholder() {
        let folder = tempfile::tempdir().unwrap();
        for kind in PluginKind::ALL {
            let has_example = |language: &Language| example(kind, *language).is_some();
            for language in Language::ALL.into_iter().filter(has_example) {
                let target = folder.path().join(format!("{kind}-{language}"));
                let files = scaffold("given-name", kind, language, &target).unwrap();
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

    #[test]
    fn a_kind_that_an_sdk_lacks_is_an_error_with_the_languages_that_have_it() {
        let folder = tempfile::tempdir().unwrap();
        for language in [Language::C, Language::Go] {
            let refused = scaffold("a", PluginKind::Reader, language, folder.path()).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!(
                    "there is no scaffold of a reader in {}: use --lang rust, python, js or ts",
                    language.title()
                )
            );
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
