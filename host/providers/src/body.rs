//! The body of a request: one function for sync calls and batches.
//!
//! What both wire formats share is here; the rest is in each one's `body`.

use serde_json::{Map, Value, json};

use super::openai::{Dialect, Line};
use super::{anthropic, openai};
use synix_core::request::{Part, Request, RequestKey, Wire};

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
pub(super) fn batch_line(dialect: &Dialect, request: &Request, key: &RequestKey) -> String {
    let id = key.to_string();
    let mut body = body(request);
    let line = match (request.wire, dialect.line) {
        (Wire::Anthropic, _) => json!({"custom_id": id, "params": body}),
        (Wire::OpenAi, Line::Call) => json!({
            "custom_id": id,
            "method": "POST",
            "url": dialect.endpoint,
            "body": body,
        }),
        (Wire::OpenAi, Line::Body) => json!({"custom_id": id, "body": body}),
        (Wire::OpenAi, Line::BodyWithoutModel) => {
            if let Value::Object(members) = &mut body {
                members.remove("model");
            }
            json!({"custom_id": id, "body": body})
        }
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
    use crate::testing::request;
    use synix_core::request::BatchApi;

    fn batch_line(request: &Request) -> String {
        line_for(BatchApi::OpenAi, request)
    }

    fn line_for(api: BatchApi, request: &Request) -> String {
        super::batch_line(Dialect::of(api), request, &request.key().unwrap())
    }

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
            let line = batch_line(&request);
            let read: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(read[place], body(&request));
        }
    }

    /// I10: the id has the 64 characters that every provider takes.
    #[test]
    fn a_batch_line_is_named_by_its_request_key() {
        let request = request(Wire::OpenAi, "Hi");
        let key = request.key().unwrap();
        let read: Value = serde_json::from_str(&batch_line(&request)).unwrap();
        assert_eq!(read["custom_id"], key.to_string());
        assert_eq!(read["custom_id"].as_str().unwrap().len(), 64);
        assert_eq!(
            (&read["method"], &read["url"]),
            (&json!("POST"), &json!("/v1/chat/completions"))
        );
    }

    /// A9: what a server does not want in a line is all that its lines lack.
    #[test]
    fn every_server_gets_its_own_line() {
        let request = request(Wire::OpenAi, "Hi");
        let id = request.key().unwrap().to_string();
        let whole = body(&request);
        let call =
            |url: &str| json!({"custom_id": id, "method": "POST", "url": url, "body": whole});
        let mut nameless = whole.clone();
        nameless.as_object_mut().unwrap().remove("model");
        for (api, expected) in [
            (BatchApi::OpenAi, call("/v1/chat/completions")),
            (BatchApi::Azure, call("/chat/completions")),
            (BatchApi::Groq, call("/v1/chat/completions")),
            (BatchApi::Together, json!({"custom_id": id, "body": whole})),
            (
                BatchApi::Mistral,
                json!({"custom_id": id, "body": nameless}),
            ),
        ] {
            let line: Value = serde_json::from_str(&line_for(api, &request)).unwrap();
            assert_eq!(line, expected, "{api:?}");
        }
    }

    #[test]
    fn a_batch_line_is_one_line() {
        let request = request(Wire::OpenAi, "a\nb\u{2028}c");
        assert!(!batch_line(&request).contains('\n'));
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
