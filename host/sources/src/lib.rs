//! Raw files as source artifacts, and the other files that a pipeline names.
//!
//! [`ProjectFolder`] is the only way to them: it reads nothing outside the
//! folder of the pipeline file, whatever a path or a link says. Which files a
//! layer takes is written in the pipeline; keeping artifacts is for the store.
//!
//! ```
//! use synix_sources::{Hidden, ProjectFolder};
//!
//! let project = tempfile::tempdir()?;
//! synix_disk::replace(&project.path().join("monday.md"), b"It rained.")?;
//! let folder = ProjectFolder::open(project.path())?;
//! let found = folder.sources("*.md", Hidden::Refused)?;
//! assert_eq!(found.files.len(), 1);
//! // Nothing outside the folder can be read.
//! assert!(folder.read("../secret").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod folder;
mod front_matter;
mod hidden;
mod problems;
mod text;
mod walk;

use std::io;

use synix_core::digest::Digest;
use synix_core::ids::{InvalidName, Label};
use synix_manifest::InvalidGlob;

pub use folder::ProjectFolder;
pub use hidden::Hidden;
pub use problems::SourceProblems;

/// The largest file that is read.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// A file that a source layer takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path relative to the project folder, with `/` between names.
    pub path: String,
    /// The label of its artifact.
    pub label: Label,
}

/// What a glob takes.
#[derive(Debug, Default)]
pub struct Sources {
    /// The files, sorted by path.
    pub files: Vec<SourceFile>,
    /// What matches the glob and cannot be a source.
    pub problems: Vec<SourceError>,
}

/// The content of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceBytes {
    /// The bytes as they are.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
}

/// A file or glob that cannot be used. Paths are relative to the project folder.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The project folder cannot be opened.
    #[error("cannot open the project folder {path}")]
    Folder {
        /// Its path as given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such file.
    #[error("{path}: there is no such file")]
    Missing {
        /// The path.
        path: String,
    },
    /// The path or a link on it leads out of the project folder.
    #[error("{path}: is outside the project folder")]
    Outside {
        /// The path.
        path: String,
    },
    /// There is something else of that name.
    #[error("{path}: is not a file")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// The file is not text.
    #[error(
        "{path}: is not UTF-8 text from byte {offset} on{}",
        if *.utf16 { "; it looks like UTF-16: save it as UTF-8" } else { "" }
    )]
    NotUtf8 {
        /// The path.
        path: String,
        /// Whether it begins as a text in UTF-16 does.
        utf16: bool,
        /// The first byte that is wrong, counted from 0.
        offset: usize,
    },
    /// The file is too large.
    #[error("{path}: is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge {
        /// The path.
        path: String,
    },
    /// The files that a config names are too large together; one may be named many times.
    #[error("{path}: with it, the files that this config names have more than {} MiB", .limit >> 20)]
    TooMuch {
        /// The path of the first that is too much.
        path: String,
        /// Bytes that they may have together.
        limit: u64,
    },
    /// The system refused.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A name on the path begins with a dot.
    #[error(
        "{path}: is hidden, as files with secrets often are; `allow_hidden = true` in the layer reads it"
    )]
    Hidden {
        /// The path as written, and what it leads to where that is another.
        path: String,
    },
    /// There is nothing in a file that holds a question.
    #[error("{path}: is empty; there is nothing to ask")]
    Empty {
        /// The path.
        path: String,
    },
    /// The file is not what it was when it was looked at.
    #[error("{path}: was changed while it was in use; run the command again")]
    Changed {
        /// The path.
        path: String,
    },
    /// The glob itself is wrong.
    #[error("the glob `{}` {source}", excerpt(.glob))]
    Glob {
        /// The glob.
        glob: String,
        /// What is wrong with it.
        source: InvalidGlob,
    },
    /// The glob takes no file.
    #[error("the glob `{}` matches no file", excerpt(.glob))]
    NoMatch {
        /// The glob.
        glob: String,
    },
    /// Two files would have one label.
    #[error("{first} and {second} would both have the label `{label}`")]
    SameLabel {
        /// The label.
        label: Label,
        /// The file that comes first.
        first: String,
        /// The other.
        second: String,
    },
    /// The file's name cannot be a label.
    #[error("{path}: cannot be a source")]
    Label {
        /// The path.
        path: String,
        /// What is wrong with the label.
        source: InvalidName,
    },
    /// The file's name, or that of a folder above, is not text.
    #[error("{path}: the name is not UTF-8, so it makes no label; rename it")]
    Name {
        /// The path, with `\xe9` for each byte that is no text.
        path: String,
    },
    /// The block of metadata at the start of the file is wrong.
    #[error("{path}:{line}: {problem}")]
    FrontMatter {
        /// The path.
        path: String,
        /// The line in the file, counted from 1.
        line: usize,
        /// What is wrong.
        problem: FrontMatterProblem,
    },
}

/// The start of a text that may be as long as the pipeline file.
fn excerpt(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What is wrong with a file's front matter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FrontMatterProblem {
    /// There is no second `---`.
    #[error(
        "the front matter has no end: a second line `---`; if the first is a rule, put an empty line below it"
    )]
    NoEnd,
    /// It is too large.
    #[error("the front matter has more than {} MiB", front_matter::MAX_BYTES / 1024 / 1024)]
    TooLarge,
    /// It is something else than names with values.
    #[error("the front matter is not a mapping of names to values")]
    NotAMapping,
    /// A name is empty, too long or has control characters.
    #[error(
        "the front matter has a name that is empty, longer than 128 characters or has control characters: {0:?}"
    )]
    Name(String),
    /// A number would be rounded.
    #[error(
        "`{name}` in the front matter: the number {number} does not fit a double; write it in quotes"
    )]
    Number {
        /// The name.
        name: String,
        /// The number.
        number: serde_json::Number,
    },
    /// It is not YAML, or YAML that means different things to different readers.
    #[error("the front matter cannot be read: {0}")]
    Yaml(String),
}
