//! Reading inputs, making outputs, and saying where it failed.

use crate::{Content, Error, Header, Input, MetadataEntry, Output};

impl Header {
    /// Returns a metadata value as JSON text.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.value.as_str())
    }

    /// Says in words which metadata there are, for an error about one that is not.
    #[cfg(feature = "template")]
    pub fn names_of_metadata(&self) -> String {
        crate::outputs::names_there(self.metadata.iter().map(|entry| entry.key.as_str()))
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

impl Error {
    /// Says where in the unit it happened; what is wrong with the config is wrong everywhere.
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

    /// Sets a metadata value, in place of one that is there under the key.
    #[must_use]
    pub fn with_metadata(self, key: impl Into<String>, value: &serde_json::Value) -> Self {
        self.with_entry(MetadataEntry {
            key: key.into(),
            value: value.to_string(),
        })
    }

    /// Sets all metadata of an input, in place of what is there under its keys.
    #[must_use]
    pub fn with_metadata_of(self, header: &Header) -> Self {
        header.metadata.iter().cloned().fold(self, Self::with_entry)
    }

    /// Sets the metadata that all of some inputs have with the same value.
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
    fn what_is_set_last_wins() {
        let header = about(&[("topic", "1"), ("year", "2026")]).header;
        let output = Output::text("l", "k", "t")
            .with_metadata("topic", &json!(0))
            .with_metadata_of(&header)
            .with_metadata("year", &json!(2027));
        assert_eq!(pairs(&output), [("topic", "1"), ("year", "2027")]);
    }

    #[test]
    fn shared_is_what_every_input_says_alike() {
        let one = about(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let two = about(&[("b", "2"), ("a", "1")]);
        let of = |inputs: &[&Input]| Output::text("l", "k", "t").with_metadata_shared_by(inputs);
        assert_eq!(pairs(&of(&[&one, &two])), [("a", "1")]);
        assert_eq!(pairs(&of(&[&two])), [("b", "2"), ("a", "1")]);
        assert!(of(&[]).metadata.is_empty());
    }
}
