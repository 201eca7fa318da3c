//! Raw files as source artifacts, and the other files that a pipeline names.
//!
//! [`ProjectFolder`] is the only way to them: it reads nothing outside the
//! folder of the pipeline file, whatever a path or a link says. Which files a
//! layer takes is written in the pipeline; keeping artifacts is for the store.

mod folder;
mod front_matter;
mod text;
mod walk;

use std::io;

use crate::digest::Digest;
use crate::ids::{InvalidName, Label};
use crate::pipeline::InvalidGlob;

pub use folder::ProjectFolder;

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
#[non_exhaustive]
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
    #[error("{path}: is not UTF-8 text from byte {offset} on")]
    NotUtf8 {
        /// The path.
        path: String,
        /// The first byte that is wrong, counted from 0.
        offset: usize,
    },
    /// The file is too large.
    #[error("{path}: is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge {
        /// The path.
        path: String,
    },
    /// The system refused.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The glob itself is wrong.
    #[error("the glob `{glob}` {source}")]
    Glob {
        /// The glob.
        glob: String,
        /// What is wrong with it.
        source: InvalidGlob,
    },
    /// The glob takes no file.
    #[error("the glob `{glob}` matches no file")]
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
    /// The file's name is not text.
    #[error("{path}: the name is not UTF-8")]
    Name {
        /// The path, with a mark for each wrong byte.
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

/// What is wrong with a file's front matter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrontMatterProblem {
    /// There is no second `---`.
    #[error("the front matter has no end: a second line `---`")]
    NoEnd,
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
