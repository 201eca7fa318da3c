//! Converts files to artifacts: texts, and pictures as bytes.

use super::format::picture_type;
use super::{Format, SourceBytes, SourceError, SourceFile, front_matter};
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::fingerprint::SourceVersion;
use synix_core::ids::Kind;
use synix_reading::text;
use synix_reading::time::date_at_start;

/// The metadata key of the date that a file name begins with.
const DATE: &str = "date";

/// Decodes UTF-8, or UTF-16 with a byte order mark, and removes the mark.
pub(super) fn decode(path: &str, bytes: Vec<u8>) -> Result<String, SourceError> {
    let format = Format::of(&bytes);
    text::decode(bytes).map_err(|problem| SourceError::NotText {
        path: path.to_owned(),
        problem,
        format,
    })
}

/// Returns which rules decide the artifact of a file: only some files have another one than by the first rules.
pub(super) fn version(path: &str) -> SourceVersion {
    if picture_type(path).is_some() || date_at_start(name_of(path)).is_some() {
        SourceVersion::Second
    } else {
        SourceVersion::First
    }
}

/// Converts a file to an artifact.
///
/// The front matter of a Markdown file becomes metadata, and so does a date at the start of the file name.
pub(super) fn artifact(
    file: &SourceFile,
    kind: &Kind,
    content: &SourceBytes,
) -> Result<Artifact, SourceError> {
    let (content, metadata) = match picture_type(&file.path) {
        Some(media_type) => (picture(file, media_type, content)?, Metadata::new()),
        None => note(file, content)?,
    };
    Ok(Artifact {
        label: file.label.clone(),
        kind: kind.clone(),
        content,
        metadata,
    })
}

fn picture(
    file: &SourceFile,
    media_type: &'static str,
    content: &SourceBytes,
) -> Result<Content, SourceError> {
    if Format::of(&content.bytes) != Format::Picture(media_type) {
        return Err(SourceError::NotAPicture {
            path: file.path.clone(),
            media_type,
        });
    }
    Ok(Content::Bytes {
        media_type: media_type.to_owned(),
        data: content.bytes.clone(),
    })
}

fn note(file: &SourceFile, content: &SourceBytes) -> Result<(Content, Metadata), SourceError> {
    let mut text = decode(&file.path, content.bytes.clone())?;
    let mut metadata = Metadata::new();
    if is_markdown(&file.path) {
        let (found, rest) =
            front_matter::split(&text).map_err(|(line, problem)| SourceError::FrontMatter {
                path: file.path.clone(),
                line,
                problem,
            })?;
        let start = text.len() - rest.len();
        metadata = found;
        text.drain(..start);
    }
    if let Some(date) = date_at_start(name_of(&file.path))
        && !metadata.contains_key(DATE)
    {
        metadata.insert(DATE.to_owned(), date.into());
    }
    Ok((Content::Text(text), metadata))
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
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
            stamp: None,
        };
        let content = SourceBytes {
            bytes: bytes.to_vec(),
            digest: Digest::of(bytes),
            stamp: None,
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
    fn the_error_for_bytes_that_are_no_text_says_what_they_are() {
        for (path, bytes, expected) in [
            (
                "a.md",
                &b"ab\xc3"[..],
                "a.md: is not UTF-8 text: byte 2 is invalid; save it as UTF-8, ",
            ),
            (
                "a.txt",
                b"\xff\xfea\0b",
                "a.txt: is not UTF-16 text: byte 4 is invalid; ",
            ),
            (
                "a.txt",
                b"%PDF-1.7\n\xe2\xe3",
                "a.txt: is not UTF-8 text: byte 9 is invalid; it is a PDF: use `read = \"documents\"`",
            ),
            (
                "a.zip",
                b"PK\x03\x04\xff",
                "a.zip: is not UTF-8 text: byte 4 is invalid; it is a zip archive",
            ),
            ("a.png", b"text", "a.png: is not image/png: "),
        ] {
            let message = artifact_of(path, bytes).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn utf_16_with_a_mark_is_a_text() {
        let text = "\u{feff}---\na: é\n---\n\u{1f600}";
        let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        for bytes in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
            let artifact = artifact_of("a.md", &bytes).unwrap();
            assert_eq!(artifact.content, Content::Text("\u{1f600}".to_owned()));
            assert_eq!(artifact.metadata["a"], "é");
        }
    }

    #[test]
    fn a_date_at_the_start_of_the_name_is_metadata_unless_the_note_has_one() {
        for (path, text, date) in [
            ("d/2026-01-02.md", "x", Some("2026-01-02")),
            ("d/2026-01-02 Visit.txt", "x", Some("2026-01-02")),
            ("2026-01-02-visit.org", "x", Some("2026-01-02")),
            (
                "2026-01-02.md",
                "---\ndate: 2025-12-31\n---\nx",
                Some("2025-12-31"),
            ),
            ("2026-02-30.md", "x", None),
            ("2026-13-01.md", "x", None),
            ("2026-01-02/visit.md", "x", None),
            ("visit 2026-01-02.md", "x", None),
        ] {
            let artifact = artifact_of(path, text.as_bytes()).unwrap();
            let found = artifact.metadata.get("date").and_then(|date| date.as_str());
            assert_eq!(found, date, "{path}");
            let version = version(path);
            assert_eq!(version == SourceVersion::Second, date.is_some(), "{path}");
        }
    }

    #[test]
    fn a_note_that_begins_with_a_rule_is_a_note() {
        for text in [
            "---\n\nOne.\n",
            "---\n\nNote: one.\ntwo\n\n---\n\nTwo.\n",
            "---\nOne.\n\n---\nTwo.\n",
            "---\n- a\n- b\n---\n",
            "---",
        ] {
            let artifact = artifact_of("a.md", text.as_bytes()).unwrap();
            assert_eq!(artifact.content.as_bytes(), text.as_bytes());
            assert!(artifact.metadata.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_picture_is_bytes() {
        let bytes = b"\x89PNG\r\n\x1a\n....";
        let artifact = artifact_of("a/b.PNG", bytes).unwrap();
        assert_eq!(artifact.content.media_type(), Some("image/png"));
        assert_eq!(artifact.content.as_bytes(), bytes);
        assert_eq!(version("a/b.PNG"), SourceVersion::Second);
    }
}
