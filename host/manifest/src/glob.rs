//! Globs of source layers, which cannot match files outside the project folder.
//!
//! `synix-sources` finds the matching files.

use globset::{GlobBuilder, GlobMatcher};

/// Why a glob is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGlob {
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It is an absolute path.
    #[error("is absolute; write it relative to the pipeline file")]
    Absolute,
    /// It contains `..`.
    #[error("leaves the project folder")]
    Outside,
    /// It contains a backslash.
    #[error(
        "contains a backslash; separate folders by `/`, and escape a special character as in `[*]`"
    )]
    Backslash,
    /// A component is empty or a single dot.
    #[error("contains an empty component or `.` between slashes")]
    EmptyPart,
    /// The syntax is invalid.
    #[error("is not a valid glob: {0}")]
    Syntax(String),
}

/// A glob over paths relative to the project folder, separated by `/`.
///
/// `*` and `?` match within a name, and `**` matches any number of folders. A name that starts with a dot is hidden: it
/// only matches a component that also starts with a dot, or one in the fixed part.
#[derive(Debug, Clone)]
pub struct SourceGlob {
    text: String,
    folder: String,
    whole: GlobMatcher,
    hidden: Vec<GlobMatcher>,
    depth: Option<usize>,
}

impl SourceGlob {
    /// Parses a glob.
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
        let (fixed, variable) = parts.split_at(fixed);
        let any_depth = variable
            .iter()
            .any(|part| part.contains("**") || part.contains('{'));
        Ok(Self {
            text: text.to_owned(),
            folder: fixed.join("/"),
            whole,
            hidden: variable
                .iter()
                .filter(|part| part.starts_with('.'))
                .filter_map(|part| matcher(part).ok())
                .collect(),
            depth: (!any_depth).then_some(variable.len()),
        })
    }

    /// Returns the glob as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the fixed part: the folders before the first special character, or an empty text for the project folder.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Returns the maximum number of names after the fixed part, or `None` if there is no maximum.
    pub fn depth(&self) -> Option<usize> {
        self.depth
    }

    /// Returns whether the glob matches a path. The rule for hidden names is not checked here.
    pub fn is_match(&self, path: &str) -> bool {
        self.whole.is_match(path)
    }

    /// Returns whether the path of a match may contain this name after the fixed part.
    pub fn may_match_name(&self, name: &str) -> bool {
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
    fn a_glob_cannot_match_files_outside_the_folder() {
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
    fn a_hidden_name_only_matches_a_component_that_starts_with_a_dot() {
        let glob = SourceGlob::parse("a/**/.notes/*.md").unwrap();
        assert!(glob.may_match_name(".notes") && glob.may_match_name("x"));
        assert!(!glob.may_match_name(".git"));
    }
}
