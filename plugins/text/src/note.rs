//! From the bytes of a file to a text and its metadata.

use std::collections::BTreeMap;

use serde_json::Value;
use synix_reading::text::{self, NotText};
use synix_reading::time::date_at_start;

use crate::front_matter;

/// The maximum size of a file in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The metadata key of the date that a file name begins with.
const DATE: &str = "date";

/// Metadata by their keys.
pub type Metadata = BTreeMap<String, Value>;

/// A text file, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The text without its front matter and its byte order mark.
    pub text: String,
    /// The front matter of a Markdown file, and the date at the start of the file name.
    pub metadata: Metadata,
}

/// Why a file is no note.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// It is neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("is {not_text}{}", advice(.likely))]
    NotText {
        /// The first invalid byte.
        not_text: NotText,
        /// What the file is by its first bytes, and the reader of such files.
        likely: Option<Likely>,
    },
    /// The front matter cannot be read.
    #[error("{problem}")]
    FrontMatter {
        /// The line in the file, counted from 1.
        line: usize,
        /// The problem.
        problem: FrontMatterProblem,
    },
    /// The file is too large.
    #[error("is larger than {} MiB", MAX_FILE_BYTES >> 20)]
    TooLarge,
}

impl Problem {
    /// Returns the message with the path of the file, and the line where it is known.
    pub fn in_file(&self, path: &str) -> String {
        match self {
            Self::FrontMatter { line, .. } => format!("{path}:{line}: {self}"),
            Self::NotText { .. } | Self::TooLarge => format!("{path}: {self}"),
        }
    }
}

/// What a file is that is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likely {
    /// Its format.
    pub format: &'static str,
    /// The readers that may read it.
    pub readers: &'static str,
}

/// First bytes of files that people have among their texts.
const KNOWN: [(&[u8], Likely); 7] = [
    (
        b"%PDF-",
        Likely {
            format: "a PDF",
            readers: "`read = \"documents\"`",
        },
    ),
    (
        b"PK\x03\x04",
        Likely {
            format: "a zip archive or an Office document",
            readers: "`read = \"chats\"`, `\"rows\"` or `\"documents\"`",
        },
    ),
    (
        &[0x1f, 0x8b],
        Likely {
            format: "packed by gzip",
            readers: "`read = \"rows\"` if it is a table",
        },
    ),
    (
        &[0x28, 0xb5, 0x2f, 0xfd],
        Likely {
            format: "packed by zstd",
            readers: "`read = \"rows\"` if it is a table",
        },
    ),
    (
        b"SQLite format 3\0",
        Likely {
            format: "an SQLite database",
            readers: "a plugin that reads it",
        },
    ),
    (
        b"\x89PNG",
        Likely {
            format: "a picture",
            readers: "a plugin that reads it",
        },
    ),
    (
        &[0xff, 0xd8, 0xff],
        Likely {
            format: "a picture",
            readers: "a plugin that reads it",
        },
    ),
];

fn advice(likely: &Option<Likely>) -> String {
    match likely {
        Some(likely) => format!("; it is {}: use {}", likely.format, likely.readers),
        None => "; save it as UTF-8, or leave it out of the layer's source".to_owned(),
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

/// Reads a text file. A Markdown file may have front matter; other files are only content.
pub fn note(path: &str, bytes: Vec<u8>) -> Result<Note, Problem> {
    let known = KNOWN.iter().find(|(start, _)| bytes.starts_with(start));
    let likely = known.map(|&(_, likely)| likely);
    let mut text = text::decode(bytes).map_err(|not_text| Problem::NotText { not_text, likely })?;
    let mut metadata = Metadata::new();
    if is_markdown(path) {
        let (found, rest) = front_matter::split(&text)
            .map_err(|(line, problem)| Problem::FrontMatter { line, problem })?;
        let start = text.len() - rest.len();
        metadata = found;
        text.drain(..start);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(date) = date_at_start(name)
        && !metadata.contains_key(DATE)
    {
        metadata.insert(DATE.to_owned(), date.into());
    }
    Ok(Note { text, metadata })
}

fn is_markdown(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| {
        ["md", "markdown"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}
