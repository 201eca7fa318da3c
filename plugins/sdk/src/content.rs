//! Reading inputs and making outputs.

use crate::{Content, Error, Header, Input, MetadataEntry, Output};

impl Header {
    /// Returns a metadata value as JSON text.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.value.as_str())
    }
}

impl Input {
    /// Returns the content, or an error that names the input where it is not text.
    pub fn text(&self) -> Result<&str, Error> {
        match &self.content {
            Content::Text(text) => Ok(text),
            Content::Bytes(blob) => Err(Error::InvalidInput(format!(
                "the input `{}` is {}, not text",
                self.header.label, blob.media_type
            ))),
        }
    }
}

impl Output {
    /// Returns an output with a text and no metadata.
    pub fn text(
        label: impl Into<String>,
        kind: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            label: label.into(),
            kind: kind.into(),
            content: Content::Text(text.into()),
            metadata: Vec::new(),
        }
    }

    /// Adds a metadata value.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: &serde_json::Value) -> Self {
        self.metadata.push(MetadataEntry {
            key: key.into(),
            value: value.to_string(),
        });
        self
    }
}
