//! Event streams: replies that come in pieces although nobody asked for them.
//!
//! Takes the pieces of a stream, or of JSON documents one behind the other,
//! and puts the whole reply together as the server would have sent it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::content::Content;
use super::lenient;

/// Documents that came in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) values: Vec<Value>,
    /// Whether the stream said that it is whole.
    pub(super) done: bool,
}

/// Returns whether a text is an event stream: its first line says so.
pub(super) fn is_stream(text: &[u8]) -> bool {
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next();
    line.is_some_and(|line| field(line).is_some())
}

/// Reads the pieces of an event stream.
pub(super) fn pieces(text: &[u8]) -> Result<Pieces, String> {
    // What the fields `data` hold is one document behind the other, whatever stands between them.
    let mut data = Vec::new();
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        match field(line) {
            Some((b"data", rest)) => data.extend_from_slice(rest),
            Some(_) => continue,
            // Some servers write the reply itself after lines of nothing.
            None => data.extend_from_slice(line),
        }
        data.push(b'\n');
    }
    documents(&data)
}

/// Reads documents one behind the other, and the word that ends a stream.
pub(super) fn documents(text: &[u8]) -> Result<Pieces, String> {
    match as_far_as_possible(text) {
        (pieces, None) => Ok(pieces),
        (_, Some(reason)) => Err(reason),
    }
}

/// Reads documents one behind the other up to what is none, and says what that is.
pub(super) fn as_far_as_possible(text: &[u8]) -> (Pieces, Option<String>) {
    const DONE: &[u8] = b"[DONE]";
    let mut pieces = Pieces::default();
    let mut at = 0;
    loop {
        at = lenient::skip_space(text, at);
        let rest = &text[at..];
        if rest.is_empty() {
            return (pieces, None);
        }
        let rest_of_field = rest.strip_prefix(b"data:");
        if let Some(rest) = rest_of_field {
            at = text.len() - rest.len();
        } else if rest.starts_with(DONE) {
            pieces.done = true;
            at += DONE.len();
        } else {
            match lenient::value(rest) {
                Ok((value @ (Value::Object(_) | Value::Array(_)), end)) => {
                    pieces.values.push(value);
                    at += end;
                }
                Ok(_) => {
                    let reason = format!("piece {} is no object", pieces.values.len() + 1);
                    return (pieces, Some(reason));
                }
                // Whatever follows the end of a stream is no part of it.
                Err(_) if pieces.done => return (pieces, None),
                Err(broken) => {
                    let piece = pieces.values.len() + 1;
                    return (
                        pieces,
                        Some(format!("piece {piece} cannot be read: {broken}")),
                    );
                }
            }
        }
    }
}

/// Splits a line into the name of a field and its value. A comment is a field without a name.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, rest) = (&line[..colon], &line[colon + 1..]);
    let known: [&[u8]; 5] = [b"data", b"event", b"id", b"retry", b""];
    known
        .contains(&name)
        .then(|| (name, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// Returns whether a document is a piece of a streamed reply, not a reply.
pub(super) fn is_piece(value: &Value) -> bool {
    let is_chunk = value.pointer("/choices/0/delta").is_some()
        || value.get("object").and_then(Value::as_str) == Some("chat.completion.chunk");
    is_chunk || kind(value) == "message_start"
}

/// Puts a reply together; says what is missing where it is not whole.
pub(super) fn whole(pieces: Pieces) -> Result<Value, String> {
    let Pieces { values, done } = pieces;
    let is_error = |value: &Value| value.get("error").is_some_and(|error| !error.is_null());
    let is_reply = |value: &Value| {
        value.pointer("/choices/0/message").is_some()
            || (kind(value) == "message" && value.get("content").is_some())
    };
    if let Some(error) = values
        .iter()
        .find(|value| is_error(value) && !is_reply(value))
    {
        return Ok(error.clone());
    }
    if let Some(reply) = values.iter().rfind(|value| is_reply(value)) {
        return Ok(reply.clone());
    }
    if values.iter().any(|value| kind(value) == "message_start") {
        return message(&values);
    }
    if values.iter().any(|value| value.get("choices").is_some()) {
        return completion(&values, done);
    }
    Err("without an answer".to_owned())
}

fn kind(value: &Value) -> &str {
    value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A choice on its way.
#[derive(Default)]
struct Choice {
    text: String,
    refusal: String,
    calls: bool,
    finish: Value,
    error: Value,
    logprobs: Vec<Value>,
}

/// Puts together what OpenAI and those that copy it stream.
fn completion(values: &[Value], done: bool) -> Result<Value, String> {
    let mut whole = Map::new();
    let mut choices: BTreeMap<u64, Choice> = BTreeMap::new();
    for value in values {
        for name in ["id", "model", "usage", "created"] {
            if let Some(found) = value.get(name).filter(|found| !found.is_null()) {
                whole.insert(name.to_owned(), found.clone());
            }
        }
        let listed = value.get("choices").and_then(Value::as_array);
        for piece in listed.into_iter().flatten() {
            let index = piece.get("index").and_then(Value::as_u64).unwrap_or(0);
            choices.entry(index).or_default().take(piece);
        }
    }
    let ended = done || choices.values().any(|choice| !choice.finish.is_null());
    if !ended {
        return Err("without its end".to_owned());
    }
    let choices = choices
        .into_iter()
        .map(|(index, choice)| choice.into_value(index));
    whole.insert("choices".to_owned(), choices.collect());
    Ok(Value::Object(whole))
}

impl Choice {
    fn take(&mut self, piece: &Value) {
        let delta = piece.get("delta").unwrap_or(&Value::Null);
        let content = Content::read(delta.get("content"));
        self.text.push_str(&content.text);
        let refusal = delta.get("refusal").and_then(Value::as_str);
        let refusals = [content.refusal.as_deref(), refusal];
        for words in refusals.into_iter().flatten() {
            self.refusal.push_str(words);
        }
        self.calls |= delta
            .get("tool_calls")
            .is_some_and(|calls| !calls.is_null());
        for (name, kept) in [
            ("finish_reason", &mut self.finish),
            ("error", &mut self.error),
        ] {
            if let Some(found) = piece.get(name).filter(|found| !found.is_null()) {
                *kept = found.clone();
            }
        }
        let logprobs = piece.pointer("/logprobs/content").and_then(Value::as_array);
        self.logprobs
            .extend(logprobs.into_iter().flatten().cloned());
    }

    fn into_value(self, index: u64) -> Value {
        let finish = if self.finish.is_null() && self.calls {
            json!("tool_calls")
        } else {
            self.finish
        };
        let mut choice = json!({
            "index": index,
            "message": {"role": "assistant", "content": self.text},
            "finish_reason": finish,
        });
        if !self.refusal.is_empty() {
            choice["message"]["refusal"] = self.refusal.into();
        }
        if !self.error.is_null() {
            choice["error"] = self.error;
        }
        if !self.logprobs.is_empty() {
            choice["logprobs"] = json!({"content": self.logprobs});
        }
        choice
    }
}

/// Puts together what Anthropic streams.
fn message(values: &[Value]) -> Result<Value, String> {
    let mut whole = Map::new();
    let mut blocks: BTreeMap<u64, Value> = BTreeMap::new();
    let mut ended = false;
    for value in values {
        let index = value.get("index").and_then(Value::as_u64).unwrap_or(0);
        match kind(value) {
            "message_start" => {
                if let Some(Value::Object(message)) = value.get("message") {
                    whole = message.clone();
                }
            }
            "content_block_start" => {
                let block = value.get("content_block").cloned().unwrap_or_default();
                blocks.insert(index, block);
            }
            "content_block_delta" => {
                let text = value
                    .get("delta")
                    .filter(|delta| kind(delta) == "text_delta");
                let text = text.and_then(|delta| delta.get("text")?.as_str());
                if let Some(text) = text {
                    let block = blocks
                        .entry(index)
                        .or_insert_with(|| json!({"type": "text", "text": ""}));
                    let said = block
                        .get("text")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    let said = format!("{said}{text}");
                    if let Value::Object(members) = block {
                        members.insert("text".to_owned(), said.into());
                    }
                }
            }
            "message_delta" => {
                for (place, name) in [("/delta", None), ("/usage", Some("usage"))] {
                    let Some(Value::Object(news)) = value.pointer(place) else {
                        continue;
                    };
                    let target = match name {
                        None => &mut whole,
                        Some(name) => {
                            let held = whole.entry(name).or_insert_with(|| json!({}));
                            let Value::Object(held) = held else { continue };
                            held
                        }
                    };
                    let told = news.iter().filter(|(_, value)| !value.is_null());
                    target.extend(told.map(|(name, value)| (name.clone(), value.clone())));
                }
                ended |= value
                    .pointer("/delta/stop_reason")
                    .is_some_and(|reason| !reason.is_null());
            }
            "message_stop" => ended = true,
            _ => {}
        }
    }
    if !ended {
        return Err("without its end".to_owned());
    }
    whole.insert("content".to_owned(), blocks.into_values().collect());
    Ok(Value::Object(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        assert!(is_stream(text.as_bytes()), "{text}");
        whole(pieces(text.as_bytes())?)
    }

    const CHUNKS: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\n\
        data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n\
        data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n\
        data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n\
        data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";

    /// X3
    #[test]
    fn openai_s_pieces_are_one_completion() {
        let expected = json!({
            "id": "c", "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        });
        for stream in [
            format!("{CHUNKS}data: [DONE]\n\n"),
            CHUNKS.to_owned(),
            format!(": waiting\n\n{}", CHUNKS.replace("\n\n", "\r\n\r\n")),
            CHUNKS.replace("data: ", "data:").replace("\n\n", "\n"),
            format!("event: x\nid: 7\n{CHUNKS}data: [DONE]\nbye"),
        ] {
            assert_eq!(read(&stream).as_ref(), Ok(&expected), "{stream}");
        }
    }

    /// X3: what is not whole is not an answer.
    #[test]
    fn a_stream_that_breaks_off_is_none() {
        let (first, _) = CHUNKS.split_at(CHUNKS.find("\"lo\"").unwrap());
        let (first, _) = first.rsplit_once("data:").unwrap();
        assert_eq!(read(first), Err("without its end".to_owned()));
        assert_eq!(
            read("data: {\"x\":1}\n\n"),
            Err("without an answer".to_owned())
        );
        assert!(
            read("data: {\"choices\":[\n\n")
                .unwrap_err()
                .starts_with("piece 1 cannot")
        );
    }

    /// X3
    #[test]
    fn anthropic_s_events_are_one_message() {
        let events = [
            json!({"type": "message_start", "message": {"type": "message", "model": "m", "content": [],
                "stop_reason": null, "usage": {"input_tokens": 3, "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "ping"}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hel"}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "lo"}}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 2}}),
            json!({"type": "message_stop"}),
        ];
        let stream: String = events
            .iter()
            .map(|event| format!("event: {}\ndata: {event}\n\n", kind(event)))
            .collect();
        let whole = read(&stream).unwrap();
        assert_eq!(
            whole["content"][1],
            json!({"type": "text", "text": "Hello"})
        );
        assert_eq!(whole["stop_reason"], "end_turn");
        assert_eq!(
            whole["usage"],
            json!({"input_tokens": 3, "output_tokens": 2})
        );
        let (cut, _) = stream.split_once("event: message_delta").unwrap();
        assert_eq!(read(cut), Err("without its end".to_owned()));
    }

    #[test]
    fn an_error_within_a_stream_is_the_reply() {
        let stream =
            format!("{CHUNKS}data: {{\"error\":{{\"code\":502,\"message\":\"gone\"}}}}\n\n");
        assert_eq!(read(&stream).unwrap()["error"]["code"], 502);
    }

    #[test]
    fn a_whole_reply_as_an_event_is_the_reply() {
        let reply =
            json!({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]});
        assert_eq!(
            read(&format!("data: {reply}\n\ndata: [DONE]\n\n")),
            Ok(reply.clone())
        );
        assert_eq!(read(&format!(": still at it\n\n{reply}")), Ok(reply));
    }

    #[test]
    fn json_is_no_stream() {
        for text in ["{\"data\": 1}", "{", "", "datum: 1", "<html>"] {
            assert!(!is_stream(text.as_bytes()), "{text}");
        }
    }
}
