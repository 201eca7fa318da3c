//! The document of a request: what the store and a cassette keep, and what a request key covers.
//!
//! A completion has no member `kind`, because documents from before there were embeddings have none.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Message, Request, RequestKind, Wire, user_message};

/// The value of the member `kind`.
const EMBEDDING: &str = "embedding";

#[derive(Serialize)]
struct CompletionDocument<'a> {
    wire: Wire,
    provider: &'a str,
    model: &'a str,
    messages: &'a [Message],
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    stop: &'a [String],
    response_format: Option<&'a Value>,
    options: &'a Map<String, Value>,
    sample: u32,
    revision: &'a str,
}

#[derive(Serialize)]
struct EmbeddingDocument<'a> {
    kind: &'static str,
    wire: Wire,
    provider: &'a str,
    model: &'a str,
    text: &'a str,
    dimensions: Option<u32>,
    options: &'a Map<String, Value>,
    revision: &'a str,
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind {
            RequestKind::Completion => CompletionDocument {
                wire: self.wire,
                provider: &self.provider,
                model: &self.model,
                messages: &self.messages,
                max_tokens: self.max_tokens,
                temperature: self.temperature,
                stop: &self.stop,
                response_format: self.response_format.as_ref(),
                options: &self.options,
                sample: self.sample,
                revision: &self.revision,
            }
            .serialize(serializer),
            RequestKind::Embedding { dimensions } => EmbeddingDocument {
                kind: EMBEDDING,
                wire: self.wire,
                provider: &self.provider,
                model: &self.model,
                text: self.text(),
                dimensions,
                options: &self.options,
                revision: &self.revision,
            }
            .serialize(serializer),
        }
    }
}

/// The members of both documents.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyDocument {
    kind: Option<String>,
    wire: Wire,
    provider: String,
    model: String,
    messages: Option<Vec<Message>>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    stop: Option<Vec<String>>,
    response_format: Option<Value>,
    options: Map<String, Value>,
    sample: Option<u32>,
    revision: String,
    text: Option<String>,
    dimensions: Option<u32>,
}

/// A document whose members do not belong together.
#[derive(Debug)]
enum InvalidDocument {
    UnknownKind(String),
    Missing(&'static str),
    Misplaced(&'static str),
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind(kind) => write!(f, "unknown kind of request {kind:?}"),
            Self::Missing(name) => write!(f, "missing field `{name}`"),
            Self::Misplaced(name) => {
                write!(
                    f,
                    "the field `{name}` does not belong to this kind of request"
                )
            }
        }
    }
}

impl TryFrom<AnyDocument> for Request {
    type Error = InvalidDocument;

    fn try_from(document: AnyDocument) -> Result<Self, InvalidDocument> {
        let kind = match document.kind.as_deref() {
            None => RequestKind::Completion,
            Some(EMBEDDING) => RequestKind::Embedding {
                dimensions: document.dimensions,
            },
            Some(other) => return Err(InvalidDocument::UnknownKind(other.to_owned())),
        };
        let misplaced: &[(&'static str, bool)] = match kind {
            RequestKind::Completion => &[
                ("text", document.text.is_some()),
                ("dimensions", document.dimensions.is_some()),
            ],
            RequestKind::Embedding { .. } => &[
                ("messages", document.messages.is_some()),
                ("max_tokens", document.max_tokens.is_some()),
                ("temperature", document.temperature.is_some()),
                ("stop", document.stop.is_some()),
                ("response_format", document.response_format.is_some()),
                ("sample", document.sample.is_some()),
            ],
        };
        if let Some((name, _)) = misplaced.iter().find(|(_, is_present)| *is_present) {
            return Err(InvalidDocument::Misplaced(name));
        }
        let (messages, stop, sample) = if kind.is_embedding() {
            let text = document.text.ok_or(InvalidDocument::Missing("text"))?;
            (user_message(text), Vec::new(), 0)
        } else {
            let missing = InvalidDocument::Missing;
            (
                document.messages.ok_or_else(|| missing("messages"))?,
                document.stop.ok_or_else(|| missing("stop"))?,
                document.sample.ok_or_else(|| missing("sample"))?,
            )
        };
        Ok(Self {
            kind,
            wire: document.wire,
            provider: document.provider,
            model: document.model,
            messages,
            max_tokens: document.max_tokens,
            temperature: document.temperature,
            stop,
            response_format: document.response_format,
            options: document.options,
            sample,
            revision: document.revision,
        })
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AnyDocument::deserialize(deserializer)?
            .try_into()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn embedding() -> Value {
        json!({
            "kind": "embedding", "wire": "openai", "provider": "openai", "model": "m",
            "text": "Hi", "dimensions": 8, "options": {}, "revision": "",
        })
    }

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let request: Request = serde_json::from_value(embedding()).unwrap();
        assert_eq!(request.text(), "Hi");
        assert_eq!(
            request.kind,
            RequestKind::Embedding {
                dimensions: Some(8)
            }
        );
        assert_eq!(serde_json::to_value(&request).unwrap(), embedding());
    }

    #[test]
    fn members_of_the_other_kind_are_refused_by_name() {
        let refused = |name: &str, value: Value| {
            let mut document = embedding();
            document[name] = value;
            let read: Result<Request, _> = serde_json::from_value(document);
            read.unwrap_err().to_string()
        };
        assert!(refused("messages", json!([])).contains("`messages`"));
        assert!(refused("sample", json!(1)).contains("`sample`"));
        assert!(refused("kind", json!("picture")).contains("\"picture\""));
        assert!(refused("kind", Value::Null).contains("`text`"));
        assert!(refused("more", json!(1)).contains("`more`"));
    }
}
