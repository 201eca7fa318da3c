//! What travels in a document if it is small, and beside it otherwise.

use serde::{Deserialize, Serialize};

use synix_core::digest::Digest;

/// An object in the store of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRef {
    /// The digest of its bytes, which is its name.
    pub digest: Digest,
    /// The number of its bytes.
    pub size: u64,
}

impl ObjectRef {
    /// Returns the reference to an object with these bytes.
    pub fn to(bytes: &[u8]) -> Self {
        Self {
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TextPayload {
    /// The text itself.
    Text(String),
    /// An object with its UTF-8 encoding.
    Object(ObjectRef),
}
