//! The errors of Anthropic.

use serde_json::{Value, json};

use crate::call::{Call, Outcome, status};
use crate::prompt::BadPrompt;
use crate::script::StatusReply;

/// Returns the error that goes with a status.
pub(crate) fn error(code: u16, message: &str) -> Outcome {
    Outcome::json(status(code), &body(code, message))
}

/// Returns the 404 of an endpoint.
pub(crate) fn not_found(call: &Call) -> Outcome {
    if call.id.is_empty() {
        return error(404, "Not Found");
    }
    error(
        404,
        &format!("Message batch with id {} not found.", call.id),
    )
}

/// Returns a scripted status.
pub(crate) fn of_status(reply: &StatusReply) -> Outcome {
    let outcome = match &reply.body {
        Some(body) => Outcome::scripted(status(reply.code), body),
        None => error(reply.code, message_of(reply.code)),
    };
    reply
        .headers
        .iter()
        .fold(outcome, |outcome, (name, value)| {
            outcome.header(name, value)
        })
}

/// Returns the error of a row, as the member `error` of its result.
pub(super) fn of_row(code: u16, message: &str) -> Value {
    json!({
        "type": "error",
        "error": {"details": {"error_visibility": "user_facing"}, "type": kind(code), "message": message},
        "request_id": null,
    })
}

/// Words what is wrong with a request body.
pub(super) fn of_prompt(bad: &BadPrompt) -> String {
    match bad {
        BadPrompt::NoObject => "The request body is not valid JSON: expected an object".to_owned(),
        BadPrompt::Missing(field) => format!("{field}: Field required"),
        BadPrompt::NoTokens => "max_tokens: must be greater than or equal to 1".to_owned(),
        BadPrompt::Content => "messages: Could not process image".to_owned(),
        BadPrompt::Stream => "stream: streaming is not supported here".to_owned(),
    }
}

/// Words that a model is unknown.
pub(super) fn of_model(model: &str) -> String {
    format!("model: {model}")
}

/// Returns Anthropic's error for a status.
pub(super) fn message_of(code: u16) -> &'static str {
    match code {
        401 => "API key is invalid.",
        402 => "Your credit balance is too low to access the Anthropic API.",
        403 => "Your API key does not have permission to use the specified resource.",
        404 => "Not Found",
        413 => "Request exceeds the maximum size",
        429 => "This request would exceed your organization's rate limit. Please try again later.",
        504 => "The request timed out.",
        529 => "Overloaded",
        500.. => "Internal server error",
        _ => "The request was refused.",
    }
}

fn body(code: u16, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind(code), "message": message}, "request_id": null})
}

fn kind(code: u16) -> &'static str {
    match code {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}
