//! Which files a source layer takes: a glob that cannot leave the project folder.
//!
//! Looking at the disk is for `synix-sources`.

use globset::{GlobBuilder, GlobMatcher};

/// Why a glob cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGlob {
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It starts at the root of a disk.
    #[error("is absolute; write it relative to the pipeline file")]
    Absolute,
    /// It goes up.
    #[error("leaves the project folder")]
    Outside,
    /// It has a backslash.
    #[error(
        "has a backslash; folders are separated by `/`, a special character is taken as it is in `[*]`"
    )]
    Backslash,
    /// A part between slashes is empty or a single dot.
    #[error("has an empty part or `.` between slashes")]
    EmptyPart,
    /// The pattern itself is wrong.
    #[error("is not a glob: {0}")]
    Syntax(String),
}

/// A glob over paths relative to the project folder, separated by `/`.
///
/// `*` and `?` stay within one name, `**` crosses folders. A name that starts
/// with a dot is hidden: it is taken only where it stands in the fixed part or
/// a part of the pattern that itself starts with a dot matches it.
#[derive(Debug, Clone)]
pub struct SourceGlob {
    text: String,
    folder: String,
    whole: GlobMatcher,
    hidden: Vec<GlobMatcher>,
    depth: Option<usize>,
}

impl SourceGlob {
    /// Checks and wraps a glob.
    pub fn parse(text: &str) -> Result<Self, InvalidGlob> {
        let pattern = text.strip_prefix("./").unwrap_or(text);
        if pattern.is_empty() {
            return Err(InvalidGlob::Empty);
        }
        if pattern.contains('\\') {
            return Err(InvalidGlob::Backslash);
        }
        let drive = pattern.as_bytes().get(1) == Some(&b':')
            && pattern.starts_with(|c: char| c.is_ascii_alphabetic());
        if pattern.starts_with('/') || drive {
            return Err(InvalidGlob::Absolute);
        }
        let parts: Vec<&str> = pattern.split('/').collect();
        if parts.contains(&"..") {
            return Err(InvalidGlob::Outside);
        }
        if parts.iter().any(|part| part.is_empty() || *part == ".") {
            return Err(InvalidGlob::EmptyPart);
        }
        let whole = matcher(pattern)?;
        let special = |part: &&str| part.contains(['*', '?', '[', ']', '{', '}']);
        let fixed = parts
            .iter()
            .position(special)
            .unwrap_or(parts.len() - 1)
            .min(parts.len() - 1);
        let (fixed, moving) = parts.split_at(fixed);
        let deep = moving
            .iter()
            .any(|part| part.contains("**") || part.contains('{'));
        Ok(Self {
            text: text.to_owned(),
            folder: fixed.join("/"),
            whole,
            hidden: moving
                .iter()
                .filter(|part| part.starts_with('.'))
                .filter_map(|part| matcher(part).ok())
                .collect(),
            depth: (!deep).then_some(moving.len()),
        })
    }

    /// Returns the glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the fixed part: the folders before the first special character; empty for the project folder.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Returns how many names below the fixed part a path may have; `None`: any number.
    pub fn depth(&self) -> Option<usize> {
        self.depth
    }

    /// Returns whether a file at `path` is taken, its hidden parts apart.
    pub fn is_match(&self, path: &str) -> bool {
        self.whole.is_match(path)
    }

    /// Returns whether a file or folder of this name below the fixed part may be looked at.
    pub fn admits(&self, name: &str) -> bool {
        !name.starts_with('.') || self.hidden.iter().any(|part| part.is_match(name))
    }
}

fn matcher(pattern: &str) -> Result<GlobMatcher, InvalidGlob> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| InvalidGlob::Syntax(error.kind().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_ends_before_the_first_special_character() {
        for (text, folder, depth) in [
            ("sources/bios/*.md", "sources/bios", Some(1)),
            ("./notes/**/*.md", "notes", None),
            ("*.md", "", Some(1)),
            ("a/b.md", "a", Some(1)),
            ("a/?/c/*.md", "a", Some(3)),
            ("{a,b/c}/*.md", "", None),
        ] {
            let glob = SourceGlob::parse(text).unwrap();
            assert_eq!((glob.folder(), glob.depth()), (folder, depth), "{text}");
        }
    }

    #[test]
    fn a_glob_cannot_leave_the_folder() {
        for (text, error) in [
            ("", InvalidGlob::Empty),
            ("/etc/*", InvalidGlob::Absolute),
            ("C:/x/*", InvalidGlob::Absolute),
            ("../*.md", InvalidGlob::Outside),
            ("a/../../*.md", InvalidGlob::Outside),
            ("a\\*.md", InvalidGlob::Backslash),
            ("a//*.md", InvalidGlob::EmptyPart),
            ("a/", InvalidGlob::EmptyPart),
        ] {
            assert_eq!(SourceGlob::parse(text).unwrap_err(), error, "{text}");
        }
        assert!(matches!(
            SourceGlob::parse("a/[x.md"),
            Err(InvalidGlob::Syntax(_))
        ));
    }

    #[test]
    fn a_hidden_name_is_admitted_only_where_the_pattern_names_it() {
        let glob = SourceGlob::parse("a/**/.notes/*.md").unwrap();
        assert!(glob.admits(".notes") && glob.admits("x"));
        assert!(!glob.admits(".git"));
    }
}
