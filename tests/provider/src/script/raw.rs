//! Raw replies: how unusual servers and proxies change a regular reply.
//!
//! Owns the form in scripts. What becomes of a good reply under it is in
//! `crate::raw`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A good reply, sent as no good server sends it.
///
/// The call takes effect and the ledger counts it as ever; only the bytes differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawReply {
    /// The HTTP status; rows of batches keep theirs.
    pub status: u16,
    /// Headers over those of the good reply, with `<<base>>` and `<<id>>` as in the body. Rows have none.
    pub headers: BTreeMap<String, String>,
    /// Members to set in the good reply before anything else: JSON pointers, in which `*` is every
    /// element of a list, and values; null removes nothing, it is set. For completions the
    /// document is the completion itself, alone or in a row.
    pub set: Vec<(String, Value)>,
    /// The body; by default the regular reply. It can have these placeholders:
    ///
    /// | word | what |
    /// | --- | --- |
    /// | `<<reply>>` | the good reply: a completion, a row, a list |
    /// | `<<members>>` | the same without its outer braces |
    /// | `<<body>>` | the completion, also in a row |
    /// | `<<text>>` | the text of the answer, escaped as in a JSON string |
    /// | `<<events>>` | the completion as an event stream of its wire format, its end included |
    /// | `<<deep>>` | a list, 300 deep |
    /// | `<<id>>` | the id of the row, or the one in the path of the call |
    /// | `<<base>>` | this server's address |
    /// | `<<x:EFBBBF>>` | these bytes |
    pub body: Option<String>,
    /// How the body is coded; single replies only.
    pub coding: Option<Coding>,
    /// Leaves the header that names the coding out.
    pub silent: bool,
    /// Whether the ledger takes the answer for delivered.
    pub delivers: bool,
}

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, which HTTP calls `deflate`.
    Zlib,
    /// RFC 1951, which some servers call `deflate`.
    Deflate,
    /// Little-endian, with its mark.
    Utf16Le,
    /// Big-endian, with its mark.
    Utf16Be,
}

impl Default for RawReply {
    fn default() -> Self {
        Self {
            status: 200,
            headers: BTreeMap::new(),
            set: Vec::new(),
            body: None,
            coding: None,
            silent: false,
            delivers: true,
        }
    }
}

impl RawReply {
    /// Returns the good reply as it is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a reply with this body.
    #[must_use]
    pub fn body(body: impl Into<String>) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::default()
        }
    }

    /// Returns the good reply with a member set.
    #[must_use]
    pub fn with(pointer: impl Into<String>, value: Value) -> Self {
        Self::default().set(pointer, value)
    }

    /// Returns the good reply in a coding.
    #[must_use]
    pub fn coded(coding: Coding) -> Self {
        Self {
            coding: Some(coding),
            ..Self::default()
        }
    }

    /// Returns a redirect.
    #[must_use]
    pub fn redirect(to: impl Into<String>) -> Self {
        let to = Self::body("").header("location", to);
        Self { status: 302, ..to }
    }

    /// Sets a member of the good reply.
    #[must_use]
    pub fn set(mut self, pointer: impl Into<String>, value: Value) -> Self {
        self.set.push((pointer.into(), value));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Says nothing of the coding.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Does not count as delivered.
    #[must_use]
    pub fn lost(mut self) -> Self {
        self.delivers = false;
        self
    }
}
