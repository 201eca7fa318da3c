//! The body of a request: one function for sync calls and batches.
//!
//! What both wire formats share is here; the rest is in each one's `body`.

use serde_json::{Map, Value, json};

use super::{anthropic, openai};
use crate::request::{Part, Request, RequestKey, Wire};

/// Members that `options` may not set: the request key and the reader of the reply rely on them.
const RESERVED: [&str; 4] = ["model", "messages", "stream", "stream_options"];

/// Returns the body that asks `request`, in a sync call and in a batch alike.
pub fn body(request: &Request) -> Value {
    match request.wire {
        Wire::OpenAi => openai::body(request),
        Wire::Anthropic => anthropic::body(request),
    }
}

/// Returns the line of a batch file that asks `request`, without a newline.
///
/// Its `custom_id` is the request key: 64 characters, the most that Anthropic
/// takes, and unique in a file that asks nothing twice.
pub fn batch_line(request: &Request, key: &RequestKey) -> String {
    let line = match request.wire {
        Wire::OpenAi => json!({
            "custom_id": key.to_string(),
            "method": "POST",
            "url": openai::BATCH_ENDPOINT,
            "body": body(request),
        }),
        Wire::Anthropic => json!({"custom_id": key.to_string(), "params": body(request)}),
    };
    line.to_string()
}

/// Returns the text of parts that are nothing but text.
pub(super) fn plain_text(parts: &[Part]) -> Option<String> {
    let texts: Option<Vec<&str>> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image { .. } => None,
        })
        .collect();
    texts.map(|texts| texts.concat())
}

/// Puts the guest's options over the members of a body.
pub(super) fn merge_options(body: &mut Map<String, Value>, options: &Map<String, Value>) {
    for (name, value) in options {
        if !RESERVED.contains(&name.as_str()) {
            body.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::testing::request;

    /// A9: the batch body is the sync body.
    #[test]
    fn a_batch_line_carries_the_sync_body() {
        for (wire, place) in [(Wire::OpenAi, "body"), (Wire::Anthropic, "params")] {
            let request = Request {
                temperature: Some(0.3),
                stop: vec!["END".to_owned()],
                response_format: Some(json!({"type": "object"})),
                options: json!({"top_p": 0.5}).as_object().unwrap().clone(),
                ..request(wire, "Hi")
            };
            let line = batch_line(&request, &request.key().unwrap());
            let read: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(read[place], body(&request));
        }
    }

    /// I10: the id has the 64 characters that every provider takes.
    #[test]
    fn a_batch_line_is_named_by_its_request_key() {
        let request = request(Wire::OpenAi, "Hi");
        let key = request.key().unwrap();
        let read: Value = serde_json::from_str(&batch_line(&request, &key)).unwrap();
        assert_eq!(read["custom_id"], key.to_string());
        assert_eq!(read["custom_id"].as_str().unwrap().len(), 64);
        assert_eq!(
            (&read["method"], &read["url"]),
            (&json!("POST"), &json!("/v1/chat/completions"))
        );
    }

    #[test]
    fn a_batch_line_is_one_line() {
        let request = request(Wire::OpenAi, "a\nb\u{2028}c");
        assert!(!batch_line(&request, &request.key().unwrap()).contains('\n'));
    }

    #[test]
    fn options_may_not_change_what_the_key_stands_for() {
        for wire in [Wire::OpenAi, Wire::Anthropic] {
            let plain = request(wire, "Hi");
            let options =
                json!({"model": "x", "messages": [], "stream": true, "stream_options": {}});
            let bold = Request {
                options: options.as_object().unwrap().clone(),
                ..plain.clone()
            };
            assert_eq!(body(&bold), body(&plain));
        }
    }
}
