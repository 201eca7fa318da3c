//! Names that begin with a dot: keys, histories and settings are kept under such names.

use std::path::{Component, Path};

/// Whether files are read that have a hidden name on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// They are an error.
    Refused,
    /// They are read as any other.
    Allowed,
}

impl Hidden {
    /// Returns what a layer's `allow_hidden` says.
    pub const fn allowed(allowed: bool) -> Self {
        if allowed {
            Self::Allowed
        } else {
            Self::Refused
        }
    }

    /// Says whether a path must not be read.
    pub(super) fn refuses(self, path: &Path) -> bool {
        self == Self::Refused
            && path.components().any(|part| match part {
                Component::Normal(name) => is_hidden(&name.to_string_lossy()),
                Component::Prefix(_)
                | Component::RootDir
                | Component::CurDir
                | Component::ParentDir => false,
            })
    }
}

/// Says whether a name is hidden for any file system: some pass over characters that show nothing.
pub(super) fn is_hidden(name: &str) -> bool {
    let seen = name.trim_start_matches(|one| {
        matches!(one, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
    });
    seen.starts_with('.') || is_short_git(seen)
}

/// Windows knows `.git` by a short name, too.
fn is_short_git(name: &str) -> bool {
    let number = name
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("git~"))
        .and_then(|_| name.get(4..));
    number.is_some_and(|number| number.len() == 1 && number.bytes().all(|one| one.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_hidden_however_it_is_spelt() {
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
            assert!(Hidden::Refused.refuses(Path::new(path)), "{path}");
            assert!(!Hidden::Allowed.refuses(Path::new(path)), "{path}");
        }
        for path in [
            "a", "./a", "a/../b", "a.git", "x.env", "git~", "git~10", "git~x",
        ] {
            assert!(!Hidden::Refused.refuses(Path::new(path)), "{path}");
        }
    }
}
