//! The addresses in links: of pages on the server, or of files in a folder.

use std::fmt;

use synix_core::digest::Digest;

use crate::target::Target;

/// Where the links of a page lead.
pub enum Links<'a> {
    /// To pages of the server, with the snapshot that the page reads.
    Server(Option<&'a str>),
    /// To files beside the page. The function says which pages there are.
    Files(&'a dyn Fn(&Target) -> bool),
}

/// The longest readable part of a file name.
const MAX_SLUG: usize = 40;

impl Links<'_> {
    /// Returns the address of a page; `None` if no link can lead there.
    pub fn to(&self, target: &Target) -> Option<String> {
        match self {
            Self::Server(snapshot) => Some(target.address(*snapshot)),
            Self::Files(exists) => exists(target).then(|| Self::file(target)),
        }
    }

    /// Returns the name of the file of a page. The names of two pages differ on every file system.
    pub fn file(target: &Target) -> String {
        let path = target.path().trim_start_matches('/');
        if matches!(target, Target::Overview) {
            return "index.html".to_owned();
        }
        if matches!(target, Target::Style | Target::Script) {
            return path.to_owned();
        }
        let fields = target.fields();
        let Some((_, last)) = fields.last() else {
            return format!("{path}.html");
        };
        let digest = Digest::of(target.address(None).as_bytes()).short();
        let ending = if matches!(target, Target::Raw { .. }) {
            "txt"
        } else {
            "html"
        };
        format!("{path}-{}-{digest}.{ending}", slug(last))
    }

    /// Returns whether a server makes the pages, so that forms and updates work.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

impl fmt::Debug for Links<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Server",
            Self::Files(_) => "Files",
        })
    }
}

/// Returns the letters and digits of a name, for people who look at the folder.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        if slug.len() >= MAX_SLUG {
            break;
        }
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(label: &str) -> Target {
        Target::Artifact {
            layer: "notes".to_owned(),
            label: label.to_owned(),
        }
    }

    #[test]
    fn a_file_name_cannot_leave_its_folder() {
        for label in ["../../etc/passwd", "..", "/", "CON", "a\u{0}b", ""] {
            let name = Links::file(&artifact(label));
            let is_plain = |one: char| one.is_ascii_alphanumeric() || "-.".contains(one);
            assert!(name.chars().all(is_plain), "{name}");
            assert!(name.starts_with("artifact-"), "{name}");
            assert!(!name.contains(".."), "{name}");
        }
    }

    #[test]
    fn names_that_differ_in_case_alone_have_two_files() {
        let (upper, lower) = (Links::file(&artifact("A")), Links::file(&artifact("a")));
        assert!(!upper.eq_ignore_ascii_case(&lower), "{upper}");
    }

    #[test]
    fn a_page_that_is_not_there_has_no_link() {
        let links = Links::Files(&|target| *target == Target::Overview);
        assert_eq!(links.to(&Target::Overview).as_deref(), Some("index.html"));
        assert_eq!(links.to(&artifact("a")), None);
    }
}
