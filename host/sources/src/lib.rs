//! Reads the files of a project: source files, which become artifacts, and the files that configs name.
//!
//! [`ProjectFolder`] is the only access to them. It never reads a file outside the folder of the pipeline file, even
//! through a symbolic link. The pipeline decides which files a layer reads, and the store keeps the artifacts.
//!
//! ```
//! use synix_sources::{HiddenFiles, ProjectFolder};
//!
//! let project = tempfile::tempdir()?;
//! synix_disk::replace(&project.path().join("monday.md"), b"It rained.")?;
//! let folder = ProjectFolder::open(project.path())?;
//! let found = folder.find_sources(&["*.md".to_owned()], HiddenFiles::Refuse)?;
//! assert_eq!(found.files.len(), 1);
//! // Nothing outside the folder can be read.
//! assert!(folder.read("../secret").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod file;
mod folder;
mod format;
mod front_matter;
mod hidden;
mod problems;
mod text;
mod walk;

use std::io;

use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;
use synix_core::ids::{InvalidName, Label};
use synix_manifest::InvalidGlob;
pub use synix_reading::text::NotText;

pub use file::OpenFile;
pub use folder::ProjectFolder;
pub use format::Format;
pub use hidden::HiddenFiles;
pub use problems::SourceProblems;
pub use walk::RELEASE_MARK;

/// The maximum size of a file in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// A file of a source layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path relative to the project folder, with `/` as the separator.
    pub path: String,
    /// The label of its artifact.
    pub label: Label,
    /// The file's stamp when it was found, if the search learned it.
    pub stamp: Option<FileStamp>,
}

/// A file that a reader reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderFile {
    /// The path relative to the project folder, with `/` as the separator.
    pub path: String,
    /// The file's stamp when it was found, if the search learned it.
    pub stamp: Option<FileStamp>,
}

/// The files that match a glob.
#[derive(Debug, Default)]
pub struct Sources {
    /// The files, sorted by path.
    pub files: Vec<SourceFile>,
    /// Errors for entries that match the glob but cannot be sources.
    pub problems: Vec<SourceError>,
}

/// The content of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceBytes {
    /// The unchanged bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// The file's stamp, unless the file changed while it was read.
    pub stamp: Option<FileStamp>,
}

/// An error about a file or a glob. Paths are relative to the project folder.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The project folder cannot be opened.
    #[error("cannot open the project folder {path}")]
    Folder {
        /// The path of the folder.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file does not exist.
    #[error("{path}: there is no such file")]
    Missing {
        /// The path.
        path: String,
    },
    /// The path leads out of the project folder, perhaps through a link.
    #[error("{path}: is outside the project folder")]
    Outside {
        /// The path.
        path: String,
    },
    /// The path is not a file.
    #[error("{path}: is not a file")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// The file is neither UTF-8 nor UTF-16 text.
    #[error("{path}: is {problem}{}", .format.advice())]
    NotText {
        /// The path.
        path: String,
        /// The first invalid byte.
        problem: NotText,
        /// What the file is by its first bytes.
        format: Format,
    },
    /// The file has the extension of a picture, and is none.
    #[error("{path}: is not {media_type}: its first bytes are those of something else")]
    NotAPicture {
        /// The path.
        path: String,
        /// The media type by the extension.
        media_type: &'static str,
    },
    /// The file is too large.
    #[error("{path}: is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge {
        /// The path.
        path: String,
    },
    /// The files that a config names are too large together. Each mention of a file counts.
    #[error("{path}: this file makes the files of this config larger than {} MiB", .limit >> 20)]
    TotalTooLarge {
        /// The path of the first file beyond the limit.
        path: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The operating system could not read the file.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The path.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A name in the path begins with a dot.
    #[error(
        "{path}: is hidden, as files with secrets often are; set `allow_hidden = true` in the layer to read it"
    )]
    Hidden {
        /// The path as written, with its target if that is different.
        path: String,
    },
    /// A prompt file is empty.
    #[error("{path}: is empty, so there is nothing to ask")]
    Empty {
        /// The path.
        path: String,
    },
    /// The file changed during the build.
    #[error("{path}: changed while synix was using it; run the command again")]
    Changed {
        /// The path.
        path: String,
    },
    /// The glob is invalid.
    #[error("the glob `{}` {source}", excerpt(.glob))]
    Glob {
        /// The glob.
        glob: String,
        /// The rule that the glob violates.
        source: InvalidGlob,
    },
    /// The globs match no file.
    #[error("the glob `{}` matches no file", excerpt(&.globs.join("`, `")))]
    NoMatch {
        /// The globs.
        globs: Vec<String>,
    },
    /// Two files would have the same label.
    #[error("{first} and {second} would both have the label `{label}`")]
    SameLabel {
        /// The label.
        label: Label,
        /// The first file.
        first: String,
        /// The second file.
        second: String,
    },
    /// Two files have artifacts with the same label.
    #[error(
        "{first} and {second} both have an artifact with the label `{label}`; leave one of the files out, or set \
         `on_duplicate = \"newest\"`"
    )]
    DuplicateLabel {
        /// The label.
        label: Label,
        /// The first file.
        first: String,
        /// The second file.
        second: String,
    },
    /// The name of the file is not a valid label.
    #[error("{path}: cannot be a source")]
    Label {
        /// The path.
        path: String,
        /// The rule that the label violates.
        source: InvalidName,
    },
    /// The name of the file or of a parent folder is not UTF-8.
    #[error("{path}: the name is not UTF-8, so it cannot become a label; rename it")]
    Name {
        /// The path, with an escape such as `\xe9` for each invalid byte.
        path: String,
    },
    /// The front matter of the file is invalid.
    #[error("{path}:{line}: {problem}")]
    FrontMatter {
        /// The path.
        path: String,
        /// The line in the file, counted from 1.
        line: usize,
        /// The problem.
        problem: FrontMatterProblem,
    },
}

/// Truncates a text that may be as long as the pipeline file.
fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A problem in the front matter of a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FrontMatterProblem {
    /// The closing `---` is missing.
    #[error(
        "the front matter has no closing line `---`; if the first line is a thematic break, add an empty line after it"
    )]
    NoEnd,
    /// The front matter is too large.
    #[error("the front matter has more than {} MiB", front_matter::MAX_BYTES / 1024 / 1024)]
    TooLarge,
    /// The front matter is not a mapping.
    #[error("the front matter is not a mapping of names to values")]
    NotAMapping,
    /// A name is empty, too long or contains control characters.
    #[error(
        "a name in the front matter is empty, longer than 128 characters or contains control characters: {0:?}"
    )]
    Name(String),
    /// A number does not fit into a double.
    #[error(
        "`{name}` in the front matter: the number {number} does not fit into a double; write it in quotes"
    )]
    Number {
        /// The name.
        name: String,
        /// The number.
        number: serde_json::Number,
    },
    /// The front matter is not YAML, or is ambiguous YAML.
    #[error("the front matter cannot be read: {0}")]
    Yaml(String),
}
