//! The digest of a request body, which does not depend on the order of members.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a JSON value written without spaces and with sorted members.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BodyDigest([u8; 32]);

impl BodyDigest {
    /// Digests one value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        Self::of_all(&[value])
    }

    /// Digests values written one after the other.
    pub(crate) fn of_all(values: &[&Value]) -> Self {
        let mut text = Vec::with_capacity(512);
        for value in values {
            write(value, &mut text);
        }
        Self(Sha256::digest(&text).into())
    }

    /// Returns a number drawn from the digest.
    pub(crate) fn draw(&self) -> u64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(head)
    }

    /// Returns the first `digits` hex digits.
    pub(crate) fn short(&self, digits: usize) -> String {
        let mut text = self.to_string();
        text.truncate(digits);
        text
    }
}

fn write(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            // The map has insertion order if a dependency enables that feature of serde_json.
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            text.push(b'{');
            for (index, (key, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                scalar(key, text);
                text.push(b':');
                write(member, text);
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                write(item, text);
            }
            text.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => scalar(value, text),
    }
}

fn scalar(value: &(impl Serialize + ?Sized), text: &mut Vec<u8>) {
    serde_json::to_writer(text, value).expect("scalars can be written to memory");
}

impl fmt::Display for BodyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BodyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for BodyDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BodyDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(de::Error::custom("a digest has 64 hex digits"));
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16)
                .map_err(de::Error::custom)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_does_not_change_the_digest() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":{"c":[2],"d":null}}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"b":{"d":null,"c":[2]},"a":1}"#).unwrap();
        assert_eq!(BodyDigest::of(&one), BodyDigest::of(&two));
    }

    #[test]
    fn the_digest_is_the_sha256_of_the_sorted_text() {
        let expected = Sha256::digest(br#"{"a":"x","b":1}"#);
        assert_eq!(
            BodyDigest::of(&json!({"b": 1, "a": "x"})).0,
            <[u8; 32]>::from(expected)
        );
    }

    #[test]
    fn a_digest_survives_json() {
        let digest = BodyDigest::of(&json!({"a": 1}));
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<BodyDigest>(&text).unwrap(), digest);
    }
}
