//! Reads inputs, makes outputs and adds locations to errors.

use crate::{Content, Error, Header, Input, MetadataEntry, Output};

impl Header {
    /// Returns a metadata value as JSON text.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.value.as_str())
    }

    /// Lists the metadata keys, for an error about a missing one.
    #[cfg(feature = "template")]
    pub fn names_of_metadata(&self) -> String {
        crate::outputs::names_there(self.metadata.iter().map(|entry| entry.key.as_str()))
    }
}

impl Input {
    /// Returns the text of the input, or an error that names the input.
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

impl Error {
    /// Adds the location within the unit to an error. An invalid config has no location.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::InvalidInput(text) => Self::InvalidInput(format!("{place}: {text}")),
            Self::InvalidAnswer(text) => Self::InvalidAnswer(format!("{place}: {text}")),
            Self::InvalidConfig(_) | Self::Other(_) => self,
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

    /// Sets a metadata value, and replaces an existing one with the same key.
    #[must_use]
    pub fn with_metadata(self, key: impl Into<String>, value: &serde_json::Value) -> Self {
        self.with_entry(MetadataEntry {
            key: key.into(),
            value: value.to_string(),
        })
    }

    /// Sets all metadata of an input, and replaces existing values with the same keys.
    #[must_use]
    pub fn with_metadata_of(self, header: &Header) -> Self {
        header.metadata.iter().cloned().fold(self, Self::with_entry)
    }

    /// Sets the metadata that all inputs have with the same value.
    #[must_use]
    pub fn with_metadata_shared_by(self, inputs: &[&Input]) -> Self {
        let Some((first, others)) = inputs.split_first() else {
            return self;
        };
        let shared = first.header.metadata.iter().filter(|entry| {
            let value = Some(entry.value.as_str());
            let mut others = others.iter();
            others.all(|other| other.header.metadata(&entry.key) == value)
        });
        shared.cloned().fold(self, Self::with_entry)
    }

    fn with_entry(mut self, entry: MetadataEntry) -> Self {
        self.metadata.retain(|other| other.key != entry.key);
        self.metadata.push(entry);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::input;

    fn about(pairs: &[(&str, &str)]) -> Input {
        let mut input = input("a", "");
        let entry = |&(key, value): &(&str, &str)| MetadataEntry {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        input.header.metadata = pairs.iter().map(entry).collect();
        input
    }

    fn pairs(output: &Output) -> Vec<(&str, &str)> {
        let entries = output.metadata.iter();
        entries
            .map(|entry| (entry.key.as_str(), entry.value.as_str()))
            .collect()
    }

    #[test]
    fn the_last_value_of_a_key_is_used() {
        let header = about(&[("topic", "1"), ("year", "2026")]).header;
        let output = Output::text("l", "k", "t")
            .with_metadata("topic", &json!(0))
            .with_metadata_of(&header)
            .with_metadata("year", &json!(2027));
        assert_eq!(pairs(&output), [("topic", "1"), ("year", "2027")]);
    }

    #[test]
    fn shared_metadata_is_equal_in_every_input() {
        let one = about(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let two = about(&[("b", "2"), ("a", "1")]);
        let of = |inputs: &[&Input]| Output::text("l", "k", "t").with_metadata_shared_by(inputs);
        assert_eq!(pairs(&of(&[&one, &two])), [("a", "1")]);
        assert_eq!(pairs(&of(&[&two])), [("b", "2"), ("a", "1")]);
        assert!(of(&[]).metadata.is_empty());
    }
}
