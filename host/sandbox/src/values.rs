//! Rules for JSON, metadata and media types that a guest passes to the host.

use serde_json::{Map, Value};

use synix_core::artifact::Metadata;
use synix_core::ids::InvalidName;
use synix_core::json::{self, UnsafeNumber};

const METADATA_KEY_CHARS: usize = 128;
/// The maximum number of bytes of keys and values of one output.
pub(super) const METADATA_BYTES: usize = 1 << 20;
/// The maximum number of values in all metadata of one call: in memory a value is many times as large as its text.
pub(super) const METADATA_VALUES: usize = 1 << 20;
/// The maximum number of values in the configs of all units of a split.
pub(super) const CONFIG_VALUES: usize = 1 << 22;
const MEDIA_TYPE_BYTES: usize = 128;

/// A JSON text that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidJson {
    /// The text is too long.
    #[error("{bytes} bytes of JSON; {limit} are allowed")]
    TooLong {
        /// The size of the text.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    Syntax(serde_json::Error),
    /// The value is not an object.
    #[error("not a JSON object")]
    NotObject,
    /// A number has no canonical form.
    #[error(transparent)]
    Number(#[from] UnsafeNumber),
}

/// The rule that an output breaks.
#[derive(Debug, thiserror::Error)]
pub enum InvalidOutput {
    /// The label or kind is invalid.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Two outputs have the same label.
    #[error("two outputs have the label {0:?}")]
    DuplicateLabel(String),
    /// The media type is invalid.
    #[error("{0:?} is not a media type such as `image/png`")]
    MediaType(String),
    /// A metadata key is invalid.
    #[error("the metadata key {0:?} must have 1 to 128 characters and no control characters")]
    MetadataKey(String),
    /// The metadata is too long.
    #[error("its metadata has {bytes} bytes; {limit} are allowed")]
    MetadataBytes {
        /// The size of keys and values.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The metadata of all outputs has too many values.
    #[error("the metadata of all outputs has more than {limit} values")]
    MetadataValues {
        /// The limit.
        limit: usize,
    },
    /// A metadata key occurs twice.
    #[error("the metadata key {0:?} occurs twice")]
    DuplicateKey(String),
    /// A metadata value is unusable.
    #[error("the metadata value of {key:?} is invalid")]
    MetadataValue {
        /// The key of the value.
        key: String,
        /// What is wrong with it.
        source: InvalidJson,
    },
}

/// Parses any JSON value of at most `limit` bytes that has a canonical form.
pub(super) fn parse_json(text: &str, limit: usize) -> Result<Value, InvalidJson> {
    if text.len() > limit {
        return Err(InvalidJson::TooLong {
            bytes: text.len(),
            limit,
        });
    }
    let value: Value = serde_json::from_str(text).map_err(InvalidJson::Syntax)?;
    json::canonical(&value)?;
    Ok(value)
}

/// Parses a JSON object of at most `limit` bytes that has a canonical form.
pub(super) fn parse_object(text: &str, limit: usize) -> Result<Map<String, Value>, InvalidJson> {
    match parse_json(text, limit)? {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(InvalidJson::NotObject)
        }
    }
}

/// Returns whether `text` has the syntax of a media type.
pub(super) fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let visible = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    text.len() <= MEDIA_TYPE_BYTES
        && essence
            .trim_end_matches(' ')
            .split_once('/')
            .is_some_and(|(kind, subtype)| token(kind) && token(subtype))
        && visible(parameters)
}

/// Counts the values in a JSON text without allocating any of them.
pub(super) fn count_values(text: &str) -> usize {
    let (mut values, mut within, mut escaped) = (1, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if within => escaped = true,
            b'"' => within = !within,
            b',' | b':' | b'[' | b'{' if !within => values += 1,
            _ => {}
        }
    }
    values
}

/// Checks metadata entries, sorts them by key and subtracts their values from `values_left`.
pub(super) fn metadata(
    entries: impl IntoIterator<Item = (String, String)>,
    values_left: &mut usize,
) -> Result<Metadata, InvalidOutput> {
    metadata_within(entries, values_left, METADATA_BYTES)
}

/// Does the same with another maximum number of bytes.
pub(super) fn metadata_within(
    entries: impl IntoIterator<Item = (String, String)>,
    values_left: &mut usize,
    max_bytes: usize,
) -> Result<Metadata, InvalidOutput> {
    let mut metadata = Metadata::new();
    let mut bytes = 0;
    for (key, text) in entries {
        bytes += key.len() + text.len();
        if bytes > max_bytes {
            return Err(InvalidOutput::MetadataBytes {
                bytes,
                limit: max_bytes,
            });
        }
        *values_left =
            values_left
                .checked_sub(count_values(&text))
                .ok_or(InvalidOutput::MetadataValues {
                    limit: METADATA_VALUES,
                })?;
        if key.is_empty()
            || key.chars().any(char::is_control)
            || key.chars().nth(METADATA_KEY_CHARS).is_some()
        {
            return Err(InvalidOutput::MetadataKey(
                key.chars().take(METADATA_KEY_CHARS).collect(),
            ));
        }
        if metadata.contains_key(&key) {
            return Err(InvalidOutput::DuplicateKey(key));
        }
        match parse_json(&text, max_bytes) {
            Ok(value) => metadata.insert(key, value),
            Err(source) => return Err(InvalidOutput::MetadataValue { key, source }),
        };
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &str)]) -> Result<Metadata, InvalidOutput> {
        metadata(
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
            &mut { METADATA_VALUES },
        )
    }

    /// W18: in memory JSON is many times as large as its text.
    #[test]
    fn metadata_has_limits_of_bytes_and_values() {
        let long = format!("\"{}\"", "x".repeat(METADATA_BYTES - 10));
        assert!(entries(&[("a", &long)]).is_ok());
        assert!(matches!(
            entries(&[("a", &long), ("b", "1234567890")]),
            Err(InvalidOutput::MetadataBytes { .. })
        ));
        let mut values_left = 9;
        let mut within =
            |text: &str| metadata([("a".to_owned(), text.to_owned())], &mut values_left);
        assert!(within("[1, 2, 3]").is_ok() && within("[1, 2, 3]").is_ok());
        assert!(matches!(
            within("[1, 2]"),
            Err(InvalidOutput::MetadataValues { .. })
        ));
    }

    #[test]
    fn values_are_counted_outside_of_strings() {
        for (text, values) in [
            ("1", 1),
            ("[]", 2),
            ("[1,2]", 3),
            (r#"{"a": [1]}"#, 4),
            (r#""a,b[c{""#, 1),
            (r#""\\",1"#, 2),
            (r#""\",",1"#, 2),
        ] {
            assert_eq!(count_values(text), values, "{text}");
        }
    }

    #[test]
    fn metadata_keys_are_checked_and_unique() {
        assert!(entries(&[("a", "1"), ("b", "null")]).is_ok());
        assert!(matches!(
            entries(&[("", "1")]),
            Err(InvalidOutput::MetadataKey(_))
        ));
        assert!(matches!(
            entries(&[("a\n", "1")]),
            Err(InvalidOutput::MetadataKey(_))
        ));
        assert!(entries(&[(&"ä".repeat(128), "1")]).is_ok());
        assert!(matches!(
            entries(&[(&"ä".repeat(129), "1")]),
            Err(InvalidOutput::MetadataKey(_))
        ));
        assert!(matches!(
            entries(&[("a", "1"), ("a", "1")]),
            Err(InvalidOutput::DuplicateKey(_))
        ));
    }

    #[test]
    fn metadata_values_are_json_with_a_canonical_form() {
        for bad in ["", "{", "NaN", "9007199254740993", "[1e999]"] {
            assert!(
                matches!(
                    entries(&[("a", bad)]),
                    Err(InvalidOutput::MetadataValue { .. })
                ),
                "{bad}"
            );
        }
    }

    #[test]
    fn json_nested_too_deeply_is_an_error() {
        assert!(matches!(
            parse_json(&"[".repeat(100_000), 1 << 20),
            Err(InvalidJson::Syntax(_))
        ));
    }

    #[test]
    fn a_media_type_has_a_type_and_a_subtype() {
        for good in ["image/png", "image/svg+xml", "text/plain; charset=utf-8"] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in [
            "",
            "png",
            "image/",
            "/png",
            "image/p ng",
            "image/png\n",
            "text/plain; a=\n",
            "a/b/c",
        ] {
            assert!(!is_media_type(bad), "{bad}");
        }
    }
}
