//! Event streams: replies that a server streams although synix did not ask for it.
//!
//! Parses the chunks of a stream, or of consecutive JSON documents, and
//! assembles the reply that the server would have sent without streaming.

mod completion;
mod message;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::lenient_json;

/// The errors of [`assemble`]; each completes a sentence that begins with "an event stream".
const NO_ANSWER: &str = "without an answer";
const NO_END: &str = "without its end";

/// The JSON documents of a stream.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    pub(super) values: Vec<Value>,
    /// Whether the stream had its end marker, `[DONE]`.
    pub(super) is_done: bool,
}

/// Returns whether a text is an event stream, judged by its first line.
pub(super) fn is_stream(text: &[u8]) -> bool {
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next();
    line.is_some_and(|line| split_field(line).is_some())
}

/// Parses the chunks of an event stream.
pub(super) fn parse(text: &[u8]) -> Result<Chunks, String> {
    // The fields `data` contain consecutive documents; the other lines do not matter.
    let mut data = Vec::new();
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        match split_field(line) {
            Some((b"data", rest)) => data.extend_from_slice(rest),
            Some(_) => continue,
            // Some servers send keep-alive comments and then the plain reply.
            None => data.extend_from_slice(line),
        }
        data.push(b'\n');
    }
    parse_documents(&data)
}

/// Parses consecutive documents and the end marker.
pub(super) fn parse_documents(text: &[u8]) -> Result<Chunks, String> {
    match parse_prefix(text) {
        (chunks, None) => Ok(chunks),
        (_, Some(reason)) => Err(reason),
    }
}

/// Parses consecutive documents up to the first error, and returns both.
pub(super) fn parse_prefix(text: &[u8]) -> (Chunks, Option<String>) {
    const DONE: &[u8] = b"[DONE]";
    let mut chunks = Chunks::default();
    let mut at = 0;
    loop {
        at = lenient_json::skip_space(text, at);
        let rest = &text[at..];
        if rest.is_empty() {
            return (chunks, None);
        }
        let rest_of_field = rest.strip_prefix(b"data:");
        if let Some(rest) = rest_of_field {
            at = text.len() - rest.len();
        } else if rest.starts_with(DONE) {
            chunks.is_done = true;
            at += DONE.len();
        } else {
            match lenient_json::parse_value(rest) {
                Ok((value @ (Value::Object(_) | Value::Array(_)), end)) => {
                    chunks.values.push(value);
                    at += end;
                }
                Ok(_) => {
                    let reason = format!("chunk {} is not an object", chunks.values.len() + 1);
                    return (chunks, Some(reason));
                }
                // Anything after the end marker is ignored.
                Err(_) if chunks.is_done => return (chunks, None),
                Err(error) => {
                    let number = chunks.values.len() + 1;
                    return (
                        chunks,
                        Some(format!("chunk {number} cannot be read: {error}")),
                    );
                }
            }
        }
    }
}

/// Splits a line into the name and the value of its field. A comment is a field without a name.
fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, rest) = (&line[..colon], &line[colon + 1..]);
    let known: [&[u8]; 5] = [b"data", b"event", b"id", b"retry", b""];
    known
        .contains(&name)
        .then(|| (name, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// Returns whether a document is a chunk of a streamed reply and not a complete one.
pub(super) fn is_chunk(value: &Value) -> bool {
    let is_completion_chunk = value.pointer("/choices/0/delta").is_some()
        || value.get("object").and_then(Value::as_str) == Some("chat.completion.chunk");
    is_completion_chunk || kind(value) == "message_start"
}

/// Assembles a reply from its chunks; the error says what is missing.
pub(super) fn assemble(chunks: Chunks) -> Result<Value, String> {
    let Chunks { values, is_done } = chunks;
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
        return message::assemble(&values);
    }
    if values.iter().any(|value| value.get("choices").is_some()) {
        return completion::assemble(&values, is_done);
    }
    Err(NO_ANSWER.to_owned())
}

fn kind(value: &Value) -> &str {
    value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
