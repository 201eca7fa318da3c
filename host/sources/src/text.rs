//! Converts text files to artifacts.

use std::str::Utf8Error;

use super::{SourceBytes, SourceError, SourceFile, front_matter};
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::ids::Kind;

/// Some editors write this mark at the start of a file. It is not part of the text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Decodes the bytes of a file and removes a byte order mark.
pub(super) fn utf8(path: &str, bytes: Vec<u8>) -> Result<String, SourceError> {
    let mut text = String::from_utf8(bytes)
        .map_err(|error| not_utf8(path, error.as_bytes(), error.utf8_error()))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok(text)
}

fn not_utf8(path: &str, bytes: &[u8], error: Utf8Error) -> SourceError {
    SourceError::NotUtf8 {
        path: path.to_owned(),
        utf16: bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff"),
        offset: error.valid_up_to(),
    }
}

/// Converts a file to an artifact. The front matter of a Markdown file becomes metadata; other files are only content.
pub(super) fn artifact(
    file: &SourceFile,
    kind: &Kind,
    content: &SourceBytes,
) -> Result<Artifact, SourceError> {
    let text = std::str::from_utf8(&content.bytes)
        .map_err(|error| not_utf8(&file.path, &content.bytes, error))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let (metadata, text) = if is_markdown(&file.path) {
        front_matter::split(text).map_err(|(line, problem)| SourceError::FrontMatter {
            path: file.path.clone(),
            line,
            problem,
        })?
    } else {
        (Metadata::new(), text)
    };
    Ok(Artifact {
        label: file.label.clone(),
        kind: kind.clone(),
        content: Content::Text(text.to_owned()),
        metadata,
    })
}

fn is_markdown(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| {
        ["md", "markdown"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use synix_core::digest::Digest;
    use synix_core::ids::Label;

    fn artifact_of(path: &str, bytes: &[u8]) -> Result<Artifact, SourceError> {
        let file = SourceFile {
            path: path.to_owned(),
            label: Label::parse("a").unwrap(),
        };
        let content = SourceBytes {
            bytes: bytes.to_vec(),
            digest: Digest::of(bytes),
        };
        artifact(&file, &Kind::parse("source").unwrap(), &content)
    }

    #[test]
    fn only_markdown_has_front_matter() {
        let text = b"---\na: 1\n---\nx";
        assert_eq!(
            artifact_of("n/a.MD", text).unwrap().content,
            Content::Text("x".to_owned())
        );
        let plain = artifact_of("n/a.txt", text).unwrap();
        assert_eq!(plain.content.as_bytes(), text);
        assert!(plain.metadata.is_empty());
    }

    /// C5.
    #[test]
    fn the_error_for_invalid_front_matter_names_file_and_line() {
        let message = artifact_of("n/a.md", b"---\na: 1\nb: [\n---\nx")
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("n/a.md:3: the front matter cannot be read: "),
            "{message}"
        );
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_content() {
        for path in ["n/a.md", "n/a.txt"] {
            let artifact = artifact_of(path, "\u{feff}one\r\n".as_bytes()).unwrap();
            assert_eq!(artifact.content.as_bytes(), b"one\r\n");
        }
        let marked = artifact_of("n/a.md", "\u{feff}---\na: 1\n---\nx".as_bytes()).unwrap();
        assert_eq!(marked.metadata["a"], serde_json::json!(1));
    }

    #[test]
    fn the_error_names_the_first_byte_that_is_not_text() {
        let message = artifact_of("a.md", b"ab\xc3").unwrap_err().to_string();
        assert_eq!(message, "a.md: is not UTF-8 text: byte 2 is invalid");
    }
}
