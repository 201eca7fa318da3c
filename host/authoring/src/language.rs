//! The languages of plugins, and how to detect one from the files of a folder.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// A language with an SDK and a scaffold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// JavaScript.
    Js,
    /// TypeScript.
    Ts,
    /// C.
    C,
    /// Go.
    Go,
}

impl Language {
    /// Every language, in the order of the help.
    pub const ALL: [Self; 6] = [
        Self::Rust,
        Self::Python,
        Self::Js,
        Self::Ts,
        Self::C,
        Self::Go,
    ];

    /// Returns its name in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Js => "js",
            Self::Ts => "ts",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// Returns its usual name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::Js => "JavaScript",
            Self::Ts => "TypeScript",
            Self::C => "C",
            Self::Go => "Go",
        }
    }

    /// Detects the language of the plugin in `folder` from the files that its tools require.
    pub fn detect(folder: &Path) -> Option<Self> {
        let has = |name: &str| folder.join(name).is_file();
        if has("Cargo.toml") {
            Some(Self::Rust)
        } else if has("pyproject.toml") {
            Some(Self::Python)
        } else if has("package.json") {
            Some(if has("tsconfig.json") {
                Self::Ts
            } else {
                Self::Js
            })
        } else if has("go.mod") {
            Some(Self::Go)
        } else if has_c_file(folder) {
            Some(Self::C)
        } else {
            None
        }
    }
}

fn has_c_file(folder: &Path) -> bool {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.path().extension().is_some_and(|end| end == "c"))
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error of an unknown language.
#[derive(Debug, thiserror::Error)]
#[error("the languages are rust, python, js, ts, c and go{}", .suggestion.map(|known| format!("; did you mean {known}?")).unwrap_or_default())]
pub struct UnknownLanguage {
    /// The language with this other name.
    suggestion: Option<Language>,
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let find = |name: &str| Self::ALL.into_iter().find(|known| known.name() == name);
        find(text).ok_or_else(|| UnknownLanguage {
            suggestion: match text.to_lowercase().as_str() {
                "rs" => Some(Self::Rust),
                "py" | "python3" => Some(Self::Python),
                "javascript" | "node" => Some(Self::Js),
                "typescript" => Some(Self::Ts),
                "golang" => Some(Self::Go),
                other => find(other),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_detected_by_the_file_that_its_tools_require() {
        let known = [
            (vec!["Cargo.toml"], Some(Language::Rust)),
            (vec!["pyproject.toml"], Some(Language::Python)),
            (vec!["package.json"], Some(Language::Js)),
            (vec!["package.json", "tsconfig.json"], Some(Language::Ts)),
            (vec!["go.mod"], Some(Language::Go)),
            (vec!["plugin.c"], Some(Language::C)),
            (vec!["README.md"], None),
        ];
        for (files, language) in known {
            let folder = tempfile::tempdir().unwrap();
            for file in &files {
                synix_disk::replace(&folder.path().join(file), b"").unwrap();
            }
            assert_eq!(Language::detect(folder.path()), language, "{files:?}");
        }
    }

    #[test]
    fn a_language_is_parsed_from_its_displayed_name() {
        for language in Language::ALL {
            assert_eq!(language.to_string().parse().ok(), Some(language));
        }
    }

    #[test]
    fn another_name_of_a_language_is_an_error_with_a_suggestion() {
        let error = |text: &str| text.parse::<Language>().unwrap_err().to_string();
        assert!(error("rs").ends_with("; did you mean rust?"));
        assert!(error("TypeScript").ends_with("; did you mean ts?"));
        assert!(error("Go").ends_with("; did you mean go?"));
        assert!(error("cobol").ends_with(" and go"));
    }
}
