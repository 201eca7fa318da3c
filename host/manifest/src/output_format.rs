//! The formats of outputs and exports.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

/// The format of an output or of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// One Markdown text.
    Document,
    /// A file for each artifact.
    Files,
    /// A JSON object on each line.
    Jsonl,
    /// Comma-separated values with a heading (RFC 4180).
    Csv,
    /// Apache Parquet.
    Parquet,
    /// An SQLite database with a full-text index.
    Search,
    /// A dataset that Croissant 1.1 describes.
    Croissant,
}

impl OutputFormat {
    /// All formats.
    pub const ALL: [Self; 7] = [
        Self::Document,
        Self::Files,
        Self::Jsonl,
        Self::Csv,
        Self::Parquet,
        Self::Search,
        Self::Croissant,
    ];

    /// Returns the name in commands and pipeline files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Files => "files",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Search => "search",
            Self::Croissant => "croissant",
        }
    }

    /// Returns whether an output of this format is a folder.
    pub const fn is_folder(self) -> bool {
        matches!(self, Self::Files | Self::Croissant)
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No format has the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format {0:?}")]
pub struct UnknownFormat(pub String);

impl FromStr for OutputFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let named = Self::ALL.into_iter().find(|format| format.name() == name);
        named.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}
