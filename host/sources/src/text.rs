//! Text files as artifacts.

use std::str::Utf8Error;

use super::{SourceBytes, SourceError, SourceFile, front_matter};
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::ids::Kind;

/// What some editors put before a text; it is no part of it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Returns the text that the bytes of a file are, without a byte order mark.
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

/// Makes the artifact of a file: of Markdown the front matter is metadata, of all else the text is the content.
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

    fn made(path: &str, bytes: &[u8]) -> Result<Artifact, SourceError> {
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
            made("n/a.MD", text).unwrap().content,
            Content::Text("x".to_owned())
        );
        let plain = made("n/a.txt", text).unwrap();
        assert_eq!(plain.content.as_bytes(), text);
        assert!(plain.metadata.is_empty());
    }

    /// C5: a file that cannot be loaded is an error that names file and line.
    #[test]
    fn wrong_front_matter_names_file_and_line() {
        let message = made("n/a.md", b"---\na: 1\nb: [\n---\nx")
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("n/a.md:3: the front matter cannot be read: "),
            "{message}"
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_content() {
        for path in ["n/a.md", "n/a.txt"] {
            let made = made(path, "\u{feff}one\r\n".as_bytes()).unwrap();
            assert_eq!(made.content.as_bytes(), b"one\r\n");
        }
        let marked = made("n/a.md", "\u{feff}---\na: 1\n---\nx".as_bytes()).unwrap();
        assert_eq!(marked.metadata["a"], serde_json::json!(1));
    }

    #[test]
    fn bytes_that_are_not_text_are_named() {
        let message = made("a.md", b"ab\xc3").unwrap_err().to_string();
        assert_eq!(message, "a.md: is not UTF-8 text from byte 2 on");
    }
}
