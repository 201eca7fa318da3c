//! The body of a request: one function for single calls and batches.
//!
//! This module has what both wire formats share; the rest is in the `body` of each.

use serde_json::{Map, Value, json};

use super::openai::{Dialect, LineForm};
use super::{anthropic, openai};
use synix_core::request::{Part, Request, RequestKey, RequestKind, Wire};

/// Members that `options` cannot set, because the request key and the parser of replies rely on them.
const RESERVED: [&str; 6] = [
    "dimensions",
    "input",
    "messages",
    "model",
    "stream",
    "stream_options",
];

/// Returns the body of `request`, the same for single calls and batches.
pub fn body(request: &Request) -> Value {
    match (request.kind, request.wire) {
        // The engine sends no embedding to Anthropic, which has none: another server of its format would refuse this.
        (RequestKind::Embedding { .. }, _) => openai::embedding_body(request, std::iter::empty()),
        (RequestKind::Completion, Wire::OpenAi) => openai::body(request),
        (RequestKind::Completion, Wire::Anthropic) => anthropic::body(request),
    }
}

/// Returns the line of a batch file for `request`, without a newline.
///
/// Its `custom_id` is the request key. It has 64 characters, the maximum that
/// Anthropic allows, and is unique because no batch has a request twice.
pub(super) fn batch_line(dialect: &Dialect, request: &Request, key: &RequestKey) -> String {
    let id = key.to_string();
    let mut body = body(request);
    let line = match (request.wire, dialect.line_form) {
        (Wire::Anthropic, _) => json!({"custom_id": id, "params": body}),
        (Wire::OpenAi, LineForm::Call) => json!({
            "custom_id": id,
            "method": "POST",
            "url": dialect.endpoint_of(request.kind),
            "body": body,
        }),
        (Wire::OpenAi, LineForm::Body) => json!({"custom_id": id, "body": body}),
        (Wire::OpenAi, LineForm::BodyWithoutModel) => {
            if let Value::Object(members) = &mut body {
                members.remove("model");
            }
            json!({"custom_id": id, "body": body})
        }
    };
    line.to_string()
}

/// Joins the parts, if all of them are text.
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

/// Sets the options of a request as members of a body.
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

    /// A9
    #[test]
    fn a_batch_line_has_the_body_of_a_single_call() {
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

    /// I10: every provider accepts an id of 64 characters.
    #[test]
    fn the_id_of_a_batch_line_is_its_request_key() {
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

    /// A9: lines of other servers differ only in the members that their APIs exclude.
    #[test]
    fn every_server_gets_its_own_form_of_line() {
        let request = request(Wire::OpenAi, "Hi");
        let id = request.key().unwrap().to_string();
        let whole = body(&request);
        let call =
            |url: &str| json!({"custom_id": id, "method": "POST", "url": url, "body": whole});
        let mut without_model = whole.clone();
        without_model.as_object_mut().unwrap().remove("model");
        for (api, expected) in [
            (BatchApi::OpenAi, call("/v1/chat/completions")),
            (BatchApi::Azure, call("/chat/completions")),
            (BatchApi::Groq, call("/v1/chat/completions")),
            (BatchApi::Together, json!({"custom_id": id, "body": whole})),
            (
                BatchApi::Mistral,
                json!({"custom_id": id, "body": without_model}),
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
    fn options_cannot_change_reserved_members() {
        for wire in [Wire::OpenAi, Wire::Anthropic] {
            let plain = request(wire, "Hi");
            let options =
                json!({"model": "x", "messages": [], "stream": true, "stream_options": {}});
            let request = Request {
                options: options.as_object().unwrap().clone(),
                ..plain.clone()
            };
            assert_eq!(body(&request), body(&plain));
        }
    }
}
