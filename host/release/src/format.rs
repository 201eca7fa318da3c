//! The formats.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use super::rows::Rows;
use super::{ReleaseError, csv, jsonl};

/// How artifacts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON object on each line.
    Jsonl,
    /// Comma-separated values with a heading (RFC 4180).
    Csv,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Jsonl, Self::Csv];

    /// Returns the name in commands and pipeline files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// Writes rows, and returns their number.
    pub fn write(self, rows: &Rows<'_>, out: &mut dyn Write) -> Result<u64, ReleaseError> {
        match self {
            Self::Jsonl => jsonl::write(rows, out),
            Self::Csv => csv::write(rows, out),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No format has the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format {0:?}")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let named = Self::ALL.into_iter().find(|format| format.name() == name);
        named.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}
