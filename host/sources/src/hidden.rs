//! Hidden names, which begin with a dot. Keys, histories and settings often have such names.

use std::path::{Component, Path};

/// Whether files with a hidden name in their path are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenFiles {
    /// A hidden file is an error.
    Refuse,
    /// Hidden files are read like any others.
    Allow,
}

impl HiddenFiles {
    /// Converts the `allow_hidden` of a layer.
    pub const fn allowed_if(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Refuse }
    }

    /// Returns whether a path must not be read.
    pub(super) fn refuses(self, path: &Path) -> bool {
        self == Self::Refuse
            && path.components().any(|part| match part {
                Component::Normal(name) => is_hidden(&name.to_string_lossy()),
                Component::Prefix(_)
                | Component::RootDir
                | Component::CurDir
                | Component::ParentDir => false,
            })
    }
}

/// Returns whether a name is hidden on any file system. Some file systems ignore invisible characters.
pub(super) fn is_hidden(name: &str) -> bool {
    let visible = name.trim_start_matches(|character| {
        matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
    });
    visible.starts_with('.') || is_short_git_name(visible)
}

/// Windows also gives `.git` a short name such as `git~1`.
fn is_short_git_name(name: &str) -> bool {
    let number = name
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("git~"))
        .and_then(|_| name.get(4..));
    number
        .is_some_and(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_hidden_name_is_recognized() {
        for path in [
            ".env",
            ".env.local",
            "./x/../.git/config",
            "a/.GIT/config",
            "a/.ssh",
            "\u{200c}.git/config",
            "git~1/config",
            "GIT~1",
            "...",
        ] {
            assert!(HiddenFiles::Refuse.refuses(Path::new(path)), "{path}");
            assert!(!HiddenFiles::Allow.refuses(Path::new(path)), "{path}");
        }
        for path in [
            "a", "./a", "a/../b", "a.git", "x.env", "git~", "git~10", "git~x",
        ] {
            assert!(!HiddenFiles::Refuse.refuses(Path::new(path)), "{path}");
        }
    }
}
