//! The request key, which decides whether synix pays for a request.
//!
//! Version 1 is the SHA-256 of the canonical JSON text (RFC 8785) of this object:
//!
//! | member | value |
//! | --- | --- |
//! | `v` | the number 1 |
//! | `wire` | `openai` or `anthropic` |
//! | `provider` | the provider's name in the pipeline file |
//! | `model` | the model's name at the provider |
//! | `messages` | a list of `{role, parts}`; a part is `{"text": …}` or `{"image": {"media_type", "data"}}` with base64 data |
//! | `max_tokens` | number or null, after defaults |
//! | `temperature` | number or null, after defaults |
//! | `stop` | a list of texts |
//! | `response_format` | a JSON Schema or null |
//! | `options` | an object, `{}` if empty |
//! | `sample` | a number |
//! | `revision` | a text, empty if there is none |
//!
//! A request for an embedding has another document. Its member `kind` keeps the two apart:
//!
//! | member | value |
//! | --- | --- |
//! | `v` | the number 1 |
//! | `kind` | `embedding` |
//! | `wire`, `provider`, `model`, `options`, `revision` | as above |
//! | `text` | the text, as it is sent: cut to the length that the model takes |
//! | `dimensions` | the number of dimensions, or null |
//!
//! Every member is always present. Texts are included byte for byte. The key does not depend on the URL, the credential,
//! the name of the model role, the mode, the layer, the label or the time.
//!
//! A change to any of this needs a new version and a migration of the stored answers. `docs/request-key.json` contains
//! test vectors, and `docs/request-key.py` computes them without synix.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Request;
use crate::digest::Digest;
use crate::json::{self, UnsafeNumber};

/// The digest of a request. It is also the `custom_id` of the request in a batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestKey(pub Digest);

impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Request {
    /// Returns the request key, version 1.
    ///
    /// Fails if the response format or the options contain a number that canonical JSON cannot represent.
    pub fn key(&self) -> Result<RequestKey, UnsafeNumber> {
        let mut document = serde_json::to_value(self).unwrap_or(Value::Null);
        if let Value::Object(members) = &mut document {
            members.insert("v".to_owned(), Value::from(1));
        }
        Ok(RequestKey(Digest::of(
            json::canonical(&document)?.as_bytes(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::request::{Message, Part, RequestKind, Role, Wire};

    fn request(text: &str) -> Request {
        Request {
            kind: RequestKind::Completion,
            wire: Wire::OpenAi,
            provider: "openai".to_owned(),
            model: "gpt-4o-mini".to_owned(),
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::Text(text.to_owned())],
            }],
            max_tokens: Some(100),
            temperature: Some(0.3),
            stop: Vec::new(),
            response_format: None,
            options: serde_json::Map::new(),
            sample: 0,
            revision: String::new(),
        }
    }

    /// I5.
    #[test]
    fn version_1_is_the_digest_of_exactly_this_text() {
        let text = concat!(
            r#"{"max_tokens":100,"messages":[{"parts":[{"text":"Hi"}],"role":"user"}],"model":"gpt-4o-mini","#,
            r#""options":{},"provider":"openai","response_format":null,"revision":"","sample":0,"stop":[],"#,
            r#""temperature":0.3,"v":1,"wire":"openai"}"#
        );
        assert_eq!(request("Hi").key().unwrap().0, Digest::of(text.as_bytes()));
    }

    /// I5: one vector contains a number that a careless JSON parser rounds.
    #[test]
    fn the_published_test_vectors_have_their_keys() {
        #[derive(Deserialize)]
        struct Vector {
            request: Request,
            key: RequestKey,
        }
        let text = include_str!("../../../../docs/request-key.json");
        let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
        for Vector { request, key } in vectors {
            assert_eq!(request.key().unwrap(), key, "{request:?}");
        }
    }

    /// I4.
    #[test]
    fn white_space_in_a_message_changes_the_key() {
        assert_ne!(
            request("a b").key().unwrap(),
            request("a  b").key().unwrap()
        );
        assert_ne!(request("a").key().unwrap(), request("a\n").key().unwrap());
    }

    #[test]
    fn every_member_changes_the_key() {
        let base = request("Hi");
        let changed = [
            Request {
                wire: Wire::Anthropic,
                ..base.clone()
            },
            Request {
                provider: "other".to_owned(),
                ..base.clone()
            },
            Request {
                model: "gpt-4o".to_owned(),
                ..base.clone()
            },
            request("Ho"),
            Request {
                max_tokens: None,
                ..base.clone()
            },
            Request {
                temperature: None,
                ..base.clone()
            },
            Request {
                stop: vec!["x".to_owned()],
                ..base.clone()
            },
            Request {
                response_format: Some(json!({})),
                ..base.clone()
            },
            Request {
                options: json!({"a": 1}).as_object().unwrap().clone(),
                ..base.clone()
            },
            Request {
                sample: 1,
                ..base.clone()
            },
            Request {
                revision: "2".to_owned(),
                ..base.clone()
            },
        ];
        for request in changed {
            assert_ne!(request.key().unwrap(), base.key().unwrap(), "{request:?}");
        }
    }

    fn embedding(text: &str, dimensions: Option<u32>) -> Request {
        Request {
            kind: RequestKind::Embedding { dimensions },
            model: "text-embedding-3-small".to_owned(),
            max_tokens: None,
            temperature: None,
            ..request(text)
        }
    }

    /// I5.
    #[test]
    fn the_key_of_an_embedding_is_the_digest_of_exactly_this_text() {
        let text = concat!(
            r#"{"dimensions":256,"kind":"embedding","model":"text-embedding-3-small","options":{},"#,
            r#""provider":"openai","revision":"","text":"Hi","v":1,"wire":"openai"}"#
        );
        let key = embedding("Hi", Some(256)).key().unwrap();
        assert_eq!(key.0, Digest::of(text.as_bytes()));
    }

    proptest! {
        #[test]
        fn embeddings_share_a_key_only_if_they_are_the_same_request(
            left: String,
            right: String,
            dimensions in proptest::option::of(0_u32..3),
            others in proptest::option::of(0_u32..3),
        ) {
            let left_request = embedding(&left, dimensions);
            let right_request = embedding(&right, others);
            prop_assert_eq!(
                left_request.key().unwrap() == right_request.key().unwrap(),
                left == right && dimensions == others
            );
            let completion = Request { kind: RequestKind::Completion, ..left_request.clone() };
            prop_assert_ne!(left_request.key().unwrap(), completion.key().unwrap());
            let stored = serde_json::to_string(&left_request).unwrap();
            let read: Request = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(read.key().unwrap(), left_request.key().unwrap());
        }

        #[test]
        fn a_stored_request_keeps_its_key(text: String, temperature in 0.0..2.0, sample: u32, stop: Vec<String>) {
            let request = Request { temperature: Some(temperature), sample, stop, ..request(&text) };
            let stored = serde_json::to_string(&request).unwrap();
            let read: Request = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(read.key().unwrap(), request.key().unwrap());
        }

        #[test]
        fn different_texts_have_different_keys(left: String, right: String) {
            prop_assume!(left != right);
            prop_assert_ne!(request(&left).key().unwrap(), request(&right).key().unwrap());
        }
    }
}
