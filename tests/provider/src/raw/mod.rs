//! Makes raw replies from regular ones.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use hyper::header::HeaderName;
use serde_json::{Value, json};

use crate::call::{Outcome, status, to_json};
use crate::endpoint::Wire;
use crate::script::{Coding, RawReply};

/// The values of the placeholders in a body.
#[derive(Debug, Clone, Copy)]
struct Placeholders<'a> {
    /// The regular reply.
    reply: &'a [u8],
    /// The completion in the reply, or null.
    completion: &'a Value,
    wire: Wire,
    base: &'a str,
    /// The id of the row, or the id in the path of the call.
    id: &'a str,
}

impl RawReply {
    /// Sets the members of `set` in a document.
    fn edit(&self, document: &mut Value) {
        for (pointer, value) in &self.set {
            let names: Vec<&str> = pointer.split('/').skip(1).collect();
            set(document, &names, value);
        }
    }

    /// Returns the bytes of the body.
    fn bytes(&self, placeholders: Placeholders<'_>) -> Vec<u8> {
        let Some(body) = &self.body else {
            return placeholders.reply.to_vec();
        };
        let mut bytes = Vec::new();
        let mut rest = body.as_str();
        while let Some((before, after)) = rest.split_once("<<") {
            bytes.extend_from_slice(before.as_bytes());
            let (word, after) = after.split_once(">>").unwrap_or((after, ""));
            append_placeholder(word, placeholders, &mut bytes);
            rest = after;
        }
        bytes.extend_from_slice(rest.as_bytes());
        bytes
    }

    /// Returns a line of a batch file, whose completion is at `pointer`.
    pub(crate) fn row(&self, line: &[u8], pointer: &str, wire: Wire, base: &str) -> Vec<u8> {
        let mut row: Value = serde_json::from_slice(line).unwrap_or_default();
        if let Some(completion) = row.pointer_mut(pointer) {
            self.edit(completion);
        }
        self.bytes(Placeholders {
            reply: &to_json(&row),
            completion: row.pointer(pointer).unwrap_or(&Value::Null),
            wire,
            base,
            id: row["custom_id"].as_str().unwrap_or_default(),
        })
    }

    /// Returns the reply to a call with this outcome.
    pub(crate) fn reply(&self, outcome: Outcome, wire: Wire, base: &str, id: &str) -> Outcome {
        // A file of rows is not a JSON document, so it is not edited.
        let mut document: Value = serde_json::from_slice(&outcome.body).unwrap_or_default();
        let mut reply = outcome.body.to_vec();
        if !document.is_null() {
            self.edit(&mut document);
            reply = to_json(&document);
        }
        let placeholders = Placeholders {
            reply: &reply,
            completion: &document,
            wire,
            base,
            id,
        };
        self.transform_outcome(outcome, placeholders)
    }

    fn transform_outcome(&self, outcome: Outcome, placeholders: Placeholders<'_>) -> Outcome {
        let mut outcome = Outcome {
            status: status(self.status),
            body: encode(self.coding, self.bytes(placeholders)).into(),
            ..outcome
        };
        // A redirect delivers nothing; its target does.
        if !self.delivers || !outcome.status.is_success() {
            outcome.receipt = None;
        }
        let coding = match self.coding {
            Some(Coding::Gzip) => Some("gzip"),
            Some(Coding::Zlib | Coding::Deflate) => Some("deflate"),
            Some(Coding::Utf16Le | Coding::Utf16Be) | None => None,
        };
        if let Some(coding) = coding.filter(|_| !self.silent) {
            outcome = outcome.header("content-encoding", coding);
        }
        for (name, value) in &self.headers {
            if let Ok(name) = HeaderName::try_from(name.as_str()) {
                outcome.headers.remove(name);
            }
            let value = value.replace("<<base>>", placeholders.base);
            outcome = outcome.header(name, &value.replace("<<id>>", placeholders.id));
        }
        outcome
    }
}

fn append_placeholder(word: &str, placeholders: Placeholders<'_>, bytes: &mut Vec<u8>) {
    match word {
        "reply" => bytes.extend_from_slice(placeholders.reply),
        "members" => {
            let inner = placeholders.reply.len().saturating_sub(1).max(1);
            bytes.extend_from_slice(placeholders.reply.get(1..inner).unwrap_or_default());
        }
        "body" => bytes.extend(to_json(placeholders.completion)),
        "text" => {
            let quoted = to_json(&text(placeholders.completion));
            bytes.extend_from_slice(&quoted[1..quoted.len() - 1]);
        }
        // No server streams vectors.
        "events" if placeholders.completion.get("data").is_some() => {
            bytes.extend_from_slice(placeholders.reply);
        }
        "events" => bytes.extend(events(placeholders.wire, placeholders.completion).into_bytes()),
        "deep" => {
            bytes.extend(std::iter::repeat_n(b'[', 300));
            bytes.extend(std::iter::repeat_n(b']', 300));
        }
        "id" => bytes.extend_from_slice(placeholders.id.as_bytes()),
        "base" => bytes.extend_from_slice(placeholders.base.as_bytes()),
        _ => {
            let hex = word.strip_prefix("x:").unwrap_or_default();
            let pairs = hex.as_bytes().chunks_exact(2);
            bytes.extend(pairs.filter_map(|pair| {
                let pair = std::str::from_utf8(pair).ok()?;
                u8::from_str_radix(pair, 16).ok()
            }));
        }
    }
}

fn set(document: &mut Value, names: &[&str], value: &Value) {
    match (names, document) {
        ([], document) => *document = value.clone(),
        (["*", rest @ ..], Value::Array(items)) => {
            items.iter_mut().for_each(|item| set(item, rest, value));
        }
        ([name, rest @ ..], Value::Array(items)) => {
            let item = name.parse().ok().and_then(|at: usize| items.get_mut(at));
            if let Some(item) = item {
                set(item, rest, value);
            }
        }
        ([name, rest @ ..], Value::Object(members)) => {
            set(members.entry(*name).or_insert(Value::Null), rest, value);
        }
        _ => {}
    }
}

/// Returns the text of a completion.
fn text(completion: &Value) -> &str {
    ["/choices/0/message/content", "/content/0/text"]
        .iter()
        .find_map(|pointer| completion.pointer(pointer)?.as_str())
        .unwrap_or_default()
}

/// Returns a completion as the event stream of its provider.
fn events(wire: Wire, completion: &Value) -> String {
    let text = text(completion);
    let middle = text
        .char_indices()
        .nth(text.chars().count() / 2)
        .map_or(0, |(at, _)| at);
    let (first, second) = text.split_at(middle);
    match wire {
        Wire::OpenAi => {
            let end = completion.pointer("/choices/0/finish_reason");
            let chunk = |delta: Value, finish: &Value| {
                json!({
                    "id": completion["id"], "object": "chat.completion.chunk", "model": completion["model"],
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
                })
            };
            let none = Value::Null;
            let chunks = [
                chunk(json!({"role": "assistant", "content": ""}), &none),
                chunk(json!({"content": first}), &none),
                chunk(json!({"content": second}), &none),
                chunk(json!({}), end.unwrap_or(&none)),
                json!({"id": completion["id"], "object": "chat.completion.chunk", "model": completion["model"],
                    "choices": [], "usage": completion["usage"]}),
            ];
            let lines: String = chunks
                .iter()
                .map(|chunk| format!("data: {chunk}\n\n"))
                .collect();
            format!("{lines}data: [DONE]\n\n")
        }
        Wire::Anthropic => {
            let mut start = completion.clone();
            start["content"] = json!([]);
            start["stop_reason"] = Value::Null;
            start["usage"]["output_tokens"] = json!(1);
            let delta = |text: &str| {
                json!({"type": "content_block_delta", "index": 0,
                    "delta": {"type": "text_delta", "text": text}})
            };
            let events = [
                json!({"type": "message_start", "message": start}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                json!({"type": "ping"}),
                delta(first),
                delta(second),
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "delta": {"stop_reason": completion["stop_reason"],
                    "stop_sequence": null}, "usage": {"output_tokens": completion["usage"]["output_tokens"]}}),
                json!({"type": "message_stop"}),
            ];
            events
                .iter()
                .map(|event| {
                    let name = event["type"].as_str().unwrap_or_default();
                    format!("event: {name}\ndata: {event}\n\n")
                })
                .collect()
        }
    }
}

fn encode(coding: Option<Coding>, bytes: Vec<u8>) -> Vec<u8> {
    const WRITTEN: &str = "memory takes every byte";
    let best = Compression::default();
    let wide = |order: fn(u16) -> [u8; 2]| {
        let text = String::from_utf8_lossy(&bytes);
        std::iter::once(0xFEFF)
            .chain(text.encode_utf16())
            .flat_map(order)
            .collect()
    };
    match coding {
        None => bytes,
        Some(Coding::Gzip) => {
            let mut writer = GzEncoder::new(Vec::new(), best);
            writer.write_all(&bytes).expect(WRITTEN);
            writer.finish().expect(WRITTEN)
        }
        Some(Coding::Zlib) => {
            let mut writer = ZlibEncoder::new(Vec::new(), best);
            writer.write_all(&bytes).expect(WRITTEN);
            writer.finish().expect(WRITTEN)
        }
        Some(Coding::Deflate) => {
            let mut writer = DeflateEncoder::new(Vec::new(), best);
            writer.write_all(&bytes).expect(WRITTEN);
            writer.finish().expect(WRITTEN)
        }
        Some(Coding::Utf16Le) => wide(u16::to_le_bytes),
        Some(Coding::Utf16Be) => wide(u16::to_be_bytes),
    }
}

#[cfg(test)]
mod tests;
