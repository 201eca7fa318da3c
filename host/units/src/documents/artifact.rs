//! Inputs and outputs of units.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::DocumentError;
use super::payload::ObjectRef;
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label};

/// The content of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WireContent {
    /// Text.
    Text(String),
    /// Other data.
    Bytes {
        /// The media type.
        media_type: String,
        /// The bytes in base64 (RFC 4648, with padding).
        base64: String,
    },
    /// An object with the bytes.
    Object {
        /// The object.
        object: ObjectRef,
        /// The media type; `None`: the bytes are text.
        media_type: Option<String>,
    },
}

/// An artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireArtifact {
    /// The label.
    pub label: String,
    /// The kind.
    pub kind: String,
    /// The metadata: a JSON text for each name.
    pub metadata: BTreeMap<String, String>,
    /// The content.
    pub content: WireContent,
}

/// An input of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireInput {
    /// The digest of the artifact.
    pub digest: Digest,
    /// The artifact.
    pub artifact: WireArtifact,
}

/// The inputs of a unit, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Inputs {
    /// The inputs themselves.
    List(Vec<WireInput>),
    /// An object with the list, as JSON.
    Object(ObjectRef),
}

impl WireArtifact {
    /// Returns an artifact as it travels, with all of its content.
    pub fn of(artifact: &Artifact) -> Self {
        let content = match &artifact.content {
            Content::Text(text) => WireContent::Text(text.clone()),
            Content::Bytes { media_type, data } => WireContent::Bytes {
                media_type: media_type.clone(),
                base64: STANDARD.encode(data),
            },
        };
        Self::with_content(artifact, content)
    }

    /// Returns an artifact as it travels, whose content is an object.
    pub fn with_object(artifact: &Artifact, object: ObjectRef) -> Self {
        let media_type = artifact.content.media_type().map(str::to_owned);
        Self::with_content(artifact, WireContent::Object { object, media_type })
    }

    fn with_content(artifact: &Artifact, content: WireContent) -> Self {
        let metadata = artifact.metadata.iter();
        Self {
            label: artifact.label.to_string(),
            kind: artifact.kind.to_string(),
            metadata: metadata
                .map(|(name, value)| (name.clone(), value.to_string()))
                .collect(),
            content,
        }
    }

    /// Returns the artifact that a worker made. Its names must satisfy the rules for new names, and it is complete.
    pub fn into_output(self) -> Result<Artifact, DocumentError> {
        let (label, kind) = (Label::parse(&self.label)?, Kind::parse(&self.kind)?);
        let content = match self.content {
            WireContent::Text(text) => Content::Text(text),
            WireContent::Bytes { media_type, base64 } => bytes(media_type, &base64)?,
            WireContent::Object { .. } => {
                return Err(DocumentError::OutputContent { label: self.label });
            }
        };
        artifact(label, kind, content, self.metadata)
    }
}

impl WireInput {
    /// Returns the input with its digest, which it must have; `fetch` reads an object.
    pub fn into_input<E: From<DocumentError>>(
        self,
        fetch: impl FnOnce(ObjectRef) -> Result<Vec<u8>, E>,
    ) -> Result<(Artifact, Digest), E> {
        let Self {
            digest,
            artifact: wire,
        } = self;
        // An earlier version of synix may have made it, under looser rules for names.
        let label = Label::from_stored(&wire.label).map_err(DocumentError::from)?;
        let kind = Kind::from_stored(&wire.kind).map_err(DocumentError::from)?;
        let content = match wire.content {
            WireContent::Text(text) => Content::Text(text),
            WireContent::Bytes { media_type, base64 } => bytes(media_type, &base64)?,
            WireContent::Object { object, media_type } => {
                let data = fetch(object)?;
                match media_type {
                    Some(media_type) => Content::Bytes { media_type, data },
                    None => Content::Text(text(data)?),
                }
            }
        };
        let input = artifact(label, kind, content, wire.metadata)?;
        if input.digest() != Ok(digest) {
            let label = wire.label;
            return Err(DocumentError::InputDigest { label, digest }.into());
        }
        Ok((input, digest))
    }
}

fn text(bytes: Vec<u8>) -> Result<String, DocumentError> {
    String::from_utf8(bytes).map_err(|_| DocumentError::Encoding {
        what: "the content of an input",
        encoding: "UTF-8",
    })
}

fn bytes(media_type: String, base64: &str) -> Result<Content, DocumentError> {
    let data = STANDARD.decode(base64);
    let data = data.map_err(|_| DocumentError::Encoding {
        what: "a content",
        encoding: "base64",
    })?;
    Ok(Content::Bytes { media_type, data })
}

fn artifact(
    label: Label,
    kind: Kind,
    content: Content,
    metadata: BTreeMap<String, String>,
) -> Result<Artifact, DocumentError> {
    let parse = |(name, text): (String, String)| {
        let value: Value = serde_json::from_str(&text).map_err(|source| DocumentError::Json {
            what: "a metadata value",
            source,
        })?;
        Ok((name, value))
    };
    let metadata = metadata
        .into_iter()
        .map(parse)
        .collect::<Result<Metadata, DocumentError>>()?;
    Ok(Artifact {
        label,
        kind,
        content,
        metadata,
    })
}
