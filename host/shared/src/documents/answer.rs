//! The object of an answer: canonical JSON with a digest over its other members.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::json::{MAX_SAFE_INTEGER, UnsafeNumber, canonical};
use synix_core::request::{Answer, RequestKey};

use super::{Invalid, SCHEMA};

/// The largest object of an answer that is read or written.
pub(crate) const MAX_ANSWER_BYTES: u64 = 32 * 1024 * 1024;

/// An answer with what is known about its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedAnswer {
    /// The answer.
    pub answer: Answer,
    /// The name of the provider that was asked.
    pub provider: String,
    /// The model that was requested.
    pub model: String,
    /// The id of the batch that had the request, if any.
    pub batch: Option<String>,
    /// When the answer arrived. The object keeps whole seconds.
    pub time: Timestamp,
}

/// Why an answer cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritable {
    #[error("it does not fit into JSON")]
    Json(#[from] serde_json::Error),
    #[error("it does not fit into canonical JSON")]
    Number(#[from] UnsafeNumber),
    #[error("it has {0} bytes; an object has at most {MAX_ANSWER_BYTES}")]
    TooLarge(usize),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerDocument {
    schema: u32,
    key: RequestKey,
    answer: Answer,
    provider: String,
    model: String,
    batch: Option<String>,
    time: String,
    sha256: Option<Digest>,
}

impl SharedAnswer {
    /// Returns the object. Equal answers are equal bytes.
    pub(crate) fn to_bytes(&self, key: RequestKey) -> Result<Vec<u8>, Unwritable> {
        let mut answer = self.answer.clone();
        answer.details.values_mut().for_each(make_safe);
        let document = AnswerDocument {
            schema: SCHEMA,
            key,
            answer,
            provider: self.provider.clone(),
            model: self.model.clone(),
            batch: self.batch.clone(),
            time: self.time.to_string(),
            sha256: None,
        };
        let mut members = to_members(&document)?;
        let digest = digest_of(members.clone())?;
        members.insert("sha256".to_owned(), Value::String(digest.to_string()));
        let text = canonical(&Value::Object(members))?;
        if text.len() as u64 > MAX_ANSWER_BYTES {
            return Err(Unwritable::TooLarge(text.len()));
        }
        Ok(text.into_bytes())
    }

    /// Reads an object. It must be exactly what [`Self::to_bytes`] writes for `key`.
    pub(crate) fn from_bytes(key: RequestKey, bytes: &[u8]) -> Result<Self, Invalid> {
        let value: Value = serde_json::from_slice(bytes).map_err(Invalid::new)?;
        let Value::Object(members) = value else {
            return Err(Invalid::new("it is no JSON object"));
        };
        let document =
            AnswerDocument::deserialize(&Value::Object(members.clone())).map_err(Invalid::new)?;
        if document.schema != SCHEMA {
            let schema = document.schema;
            return Err(Invalid::new(format!("schema {schema} is unknown")));
        }
        if document.key != key {
            let other = document.key.0.short();
            return Err(Invalid::new(format!("it answers request {other}")));
        }
        let digest = digest_of(members).map_err(Invalid::new)?;
        if document.sha256 != Some(digest) {
            return Err(Invalid::new("its digest does not match"));
        }
        if document.answer.text.is_empty() {
            return Err(Invalid::new("its text is empty"));
        }
        let time =
            Timestamp::parse(&document.time).ok_or_else(|| Invalid::new("its time is invalid"))?;
        Ok(Self {
            answer: document.answer,
            provider: document.provider,
            model: document.model,
            batch: document.batch,
            time,
        })
    }
}

fn to_members(document: &AnswerDocument) -> Result<Map<String, Value>, Unwritable> {
    let Value::Object(members) = serde_json::to_value(document)? else {
        unreachable!("a struct is an object")
    };
    Ok(members)
}

/// Returns the digest of all members except the digest itself.
fn digest_of(mut members: Map<String, Value>) -> Result<Digest, UnsafeNumber> {
    members.remove("sha256");
    let text = canonical(&Value::Object(members))?;
    Ok(Digest::of(text.as_bytes()))
}

/// Makes texts of integers that canonical JSON cannot represent. Only details that nobody computes with have such.
fn make_safe(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let is_large = |integer: u64| integer > MAX_SAFE_INTEGER;
            let magnitude = number.as_u64().or(number.as_i64().map(i64::unsigned_abs));
            if magnitude.is_some_and(is_large) {
                *value = Value::String(number.to_string());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_safe),
        Value::Object(members) => members.values_mut().for_each(make_safe),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use synix_core::request::{Ending, Usage};

    use super::*;

    fn key(text: &str) -> RequestKey {
        RequestKey(Digest::of(text.as_bytes()))
    }

    fn answer() -> SharedAnswer {
        let details = json!({"id": "x", "seed": u64::MAX, "logprob": -0.25});
        SharedAnswer {
            answer: Answer {
                text: "Paris".to_owned(),
                ending: Ending::Complete,
                model: "m-1".to_owned(),
                usage: Usage::default(),
                details: details.as_object().unwrap().clone(),
            },
            provider: "openai".to_owned(),
            model: "m".to_owned(),
            batch: None,
            time: Timestamp(1_794_700_799_000),
        }
    }

    #[test]
    fn an_answer_survives_a_round_trip() {
        let bytes = answer().to_bytes(key("a")).unwrap();
        let read = SharedAnswer::from_bytes(key("a"), &bytes).unwrap();
        let mut expected = answer();
        let seed = expected.answer.details.get_mut("seed").unwrap();
        *seed = json!(u64::MAX.to_string());
        assert_eq!(read, expected);
        assert_eq!(read.to_bytes(key("a")).unwrap(), bytes);
    }

    #[test]
    fn the_object_is_canonical_json() {
        let bytes = answer().to_bytes(key("a")).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(canonical(&value).unwrap(), text);
        assert_eq!(value["schema"], 1);
    }

    /// Every byte of an object is covered by a check.
    #[test]
    fn an_object_with_one_changed_byte_is_invalid() {
        let bytes = answer().to_bytes(key("a")).unwrap();
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1;
            let read = SharedAnswer::from_bytes(key("a"), &damaged);
            assert!(read.is_err(), "byte {position}");
        }
    }

    #[test]
    fn an_object_of_another_request_is_invalid() {
        let bytes = answer().to_bytes(key("a")).unwrap();
        let error = SharedAnswer::from_bytes(key("b"), &bytes).unwrap_err();
        assert!(error.to_string().contains("it answers request"), "{error}");
    }
}
