//! Artifacts: what sources and transforms produce.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::digest::{Digest, Encoder};
use crate::ids::{Kind, Label};
use crate::json::{self, UnsafeNumber};

/// The content of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// UTF-8 text.
    Text(String),
    /// Any other data, with its media type.
    Bytes {
        /// The media type, such as `image/png`.
        media_type: String,
        /// The unchanged bytes.
        data: Vec<u8>,
    },
}

impl Content {
    /// Returns the media type, or `None` for text.
    pub fn media_type(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Bytes { media_type, .. } => Some(media_type),
        }
    }

    /// Returns the bytes. For text, this is its UTF-8 encoding.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes { data, .. } => data,
        }
    }
}

/// Metadata: JSON values by name.
pub type Metadata = BTreeMap<String, Value>;

/// An immutable result of a source or a transform.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// The stable name within its layer.
    pub label: Label,
    /// The sort of artifact.
    pub kind: Kind,
    /// The complete content.
    pub content: Content,
    /// Further facts about the artifact.
    pub metadata: Metadata,
}

impl Artifact {
    /// Returns the digest of label, kind, content and metadata.
    ///
    /// Fails if the metadata contain a number that canonical JSON cannot represent.
    pub fn digest(&self) -> Result<Digest, UnsafeNumber> {
        let mut encoder = Encoder::new("synix.artifact.v1")
            .text(self.label.as_str())
            .text(self.kind.as_str());
        encoder = match &self.content {
            Content::Text(text) => encoder.absent().text(text),
            Content::Bytes { media_type, data } => encoder.text(media_type).bytes(data),
        };
        encoder = encoder.list(self.metadata.len());
        for (name, value) in &self.metadata {
            encoder = encoder.text(name).text(&json::canonical(value)?);
        }
        Ok(encoder.finish())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn artifact(label: &str, kind: &str, text: &str, metadata: Value) -> Artifact {
        Artifact {
            label: Label::parse(label).unwrap(),
            kind: Kind::parse(kind).unwrap(),
            content: Content::Text(text.to_owned()),
            metadata: serde_json::from_value(metadata).unwrap(),
        }
    }

    #[test]
    fn each_part_changes_the_digest() {
        let base = artifact("a", "k", "text", json!({"x": 1}))
            .digest()
            .unwrap();
        let others = [
            artifact("b", "k", "text", json!({"x": 1})),
            artifact("a", "l", "text", json!({"x": 1})),
            artifact("a", "k", "text ", json!({"x": 1})),
            artifact("a", "k", "text", json!({"x": 2})),
            artifact("a", "k", "text", json!({"y": 1})),
        ];
        for other in others {
            assert_ne!(other.digest().unwrap(), base, "{other:?}");
        }
        let bytes = Content::Bytes {
            media_type: "text/plain".to_owned(),
            data: b"text".to_vec(),
        };
        let same_bytes = Artifact {
            content: bytes,
            ..artifact("a", "k", "", json!({"x": 1}))
        };
        assert_ne!(same_bytes.digest().unwrap(), base);
    }

    proptest! {
        #[test]
        fn equal_artifacts_have_equal_digests(text: String, name: String, value: i32) {
            let make = || artifact("a", "k", &text, json!({name.clone(): value}));
            prop_assert_eq!(make().digest().unwrap(), make().digest().unwrap());
        }
    }
}
