//! Converts a guest's request to a [`GuestRequest`], or refuses it with the rule that it breaks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::model::Refusal;
use crate::values;
use synix_contract::bindings::synix::plugin::llm as wit;
use synix_core::request::{GuestRequest, Message, Part, Role};

/// The maximum number of bytes of text and pictures in one request.
const CONVERSATION_BYTES: usize = 16 << 20;
const MESSAGES: usize = 4096;
const STOPS: usize = 16;
const STOP_BYTES: usize = 1024;
pub(crate) const JSON_BYTES: usize = 1 << 20;
const ROLE_BYTES: usize = 64;

/// Returns how many bytes a request has in the memory of the host.
pub(crate) fn size(request: &wit::Request) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let stops: usize = request.stop.iter().map(String::len).sum();
    conversation(request) + stops + optional(&request.response_format) + optional(&request.options)
}

fn conversation(request: &wit::Request) -> usize {
    let part = |part: &wit::Part| match part {
        wit::Part::Text(text) => text.len(),
        wit::Part::Image(blob) => blob.media_type.len() + blob.data.len(),
        wit::Part::Other(other) => other.type_.len() + other.value.len(),
    };
    request
        .messages
        .iter()
        .flat_map(|message| &message.parts)
        .map(part)
        .sum()
}

/// Checks every rule of a request and converts it.
pub(crate) fn check_request(request: wit::Request) -> Result<GuestRequest, Refusal> {
    let bytes = conversation(&request);
    if bytes > CONVERSATION_BYTES {
        return Err(Refusal::OverLimit(format!(
            "{bytes} bytes in one request; {CONVERSATION_BYTES} are allowed"
        )));
    }
    check(request.max_tokens != Some(0), "max-tokens is 0")?;
    check(
        request.messages.len() <= MESSAGES,
        "more than 4096 messages",
    )?;
    Ok(GuestRequest {
        is_embedding: false,
        messages: messages(request.messages)?,
        max_tokens: request.max_tokens,
        temperature: request.temperature.map(temperature).transpose()?,
        stop: stop(request.stop)?,
        response_format: request
            .response_format
            .map(|text| object("response-format", &text).map(Value::Object))
            .transpose()?,
        model: request.model.map(check_role_name).transpose()?,
        sample: request.sample,
        options: request
            .options
            .map_or_else(|| Ok(Map::new()), |text| object("options", &text))?,
    })
}

fn check(is_met: bool, rule: &str) -> Result<(), Refusal> {
    if is_met { Ok(()) } else { Err(invalid(rule)) }
}

fn invalid(rule: impl Into<String>) -> Refusal {
    Refusal::InvalidRequest(rule.into())
}

fn messages(messages: Vec<wit::Message>) -> Result<Vec<Message>, Refusal> {
    let has_user = messages
        .iter()
        .any(|message| message.role == wit::Role::User);
    check(has_user, "no message has the role `user`")?;
    // For an empty question, some providers bill an empty answer; others refuse it hours later in a batch.
    let mut parts = messages
        .iter()
        .filter(|message| message.role == wit::Role::User)
        .flat_map(|message| &message.parts)
        .peekable();
    check(
        parts.peek().is_none() || !parts.all(is_blank),
        "the question is empty: for this input its prompt contains only white space",
    )?;
    messages.into_iter().map(message).collect()
}

/// Returns whether a part has no visible content.
fn is_blank(part: &wit::Part) -> bool {
    match part {
        wit::Part::Text(text) => is_blank_text(text),
        wit::Part::Image(_) | wit::Part::Other(_) => false,
    }
}

/// Returns whether a text has no visible character.
pub(super) fn is_blank_text(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_zero_width(c))
}

/// Returns whether a character has no width, such as a byte order mark.
const fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\0')
}

fn message(message: wit::Message) -> Result<Message, Refusal> {
    check(!message.parts.is_empty(), "a message has no parts")?;
    let role = match message.role {
        wit::Role::System => Role::System,
        wit::Role::User => Role::User,
        wit::Role::Assistant => Role::Assistant,
    };
    Ok(Message {
        role,
        parts: message
            .parts
            .into_iter()
            .map(part)
            .collect::<Result<_, _>>()?,
    })
}

fn part(part: wit::Part) -> Result<Part, Refusal> {
    match part {
        wit::Part::Text(text) => Ok(Part::Text(text)),
        wit::Part::Image(blob) => {
            let is_image =
                values::is_media_type(&blob.media_type) && blob.media_type.starts_with("image/");
            check(
                is_image,
                "a picture's media type does not start with `image/`",
            )?;
            check(!blob.data.is_empty(), "a picture has no data")?;
            Ok(Part::Image {
                media_type: blob.media_type,
                data: STANDARD.encode(blob.data),
            })
        }
        wit::Part::Other(other) => {
            let name: String = other.type_.chars().take(80).collect();
            Err(invalid(format!(
                "this host does not know the part type {name:?}"
            )))
        }
    }
}

fn temperature(value: f64) -> Result<f64, Refusal> {
    check(
        (0.0..=2.0).contains(&value),
        "temperature is not between 0 and 2",
    )?;
    // A negative zero has the same request key as zero, so it becomes zero.
    Ok(value.abs())
}

fn stop(stop: Vec<String>) -> Result<Vec<String>, Refusal> {
    check(stop.len() <= STOPS, "more than 16 stop texts")?;
    check(
        stop.iter()
            .all(|text| (1..=STOP_BYTES).contains(&text.len())),
        "a stop text must have 1 to 1024 bytes",
    )?;
    Ok(stop)
}

pub(super) fn check_role_name(name: String) -> Result<String, Refusal> {
    check(
        (1..=ROLE_BYTES).contains(&name.len()),
        "the name of a model role must have 1 to 64 bytes",
    )?;
    Ok(name)
}

fn object(what: &str, text: &str) -> Result<Map<String, Value>, Refusal> {
    values::parse_object(text, JSON_BYTES).map_err(|error| invalid(format!("{what}: {error}")))
}

#[cfg(test)]
mod tests;
