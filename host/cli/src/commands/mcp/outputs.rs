//! Outputs as resources: those that are one text.

use std::io::{self, Write};

use synix_release::Format;

/// The maximum size of a resource in bytes.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// Returns the media type of a format that is a text; `None` for folders and files for other programs.
pub(super) const fn text_type(format: Format) -> Option<&'static str> {
    match format {
        Format::Document => Some("text/markdown"),
        Format::Jsonl => Some("application/jsonl"),
        Format::Csv => Some("text/csv"),
        Format::Files | Format::Parquet | Format::Search | Format::Croissant => None,
    }
}

/// Describes an output for people.
pub(super) fn description(layers: &[String], format: &str) -> String {
    format!("{} as {format}", layers.join(", "))
}

/// Returns the message about an output that does not exist or is no text.
pub(super) fn no_output(name: &str) -> String {
    format!("there is no output {name:?} of the format document, jsonl or csv")
}

/// Collects a text up to the maximum size.
#[derive(Debug, Default)]
pub(super) struct Limited(Vec<u8>);

impl Limited {
    pub(super) fn into_text(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_BYTES {
            let limit = MAX_BYTES >> 20;
            return Err(io::Error::other(format!(
                "the output is larger than {limit} MiB, the limit of a resource; use search and show instead"
            )));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_large_is_an_error() {
        let mut text = Limited::default();
        text.write_all(&vec![b'a'; MAX_BYTES]).unwrap();
        let error = text.write_all(b"a").unwrap_err();
        assert!(error.to_string().contains("16 MiB"), "{error}");
        assert_eq!(text.into_text().len(), MAX_BYTES);
    }
}
