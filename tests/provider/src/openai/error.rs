//! The errors of OpenAI.

use serde_json::{Value, json};

use crate::call::{Call, Outcome, status};
use crate::endpoint::Endpoint;
use crate::prompt::BadPrompt;
use crate::script::StatusReply;

pub(super) const NO_KEY: &str = "You didn't provide an API key. You need to provide your API key in an Authorization header \
    using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're \
    accessing the API from your browser and are prompted for a username and password. You can obtain an API key from \
    https://platform.openai.com/account/api-keys.";

pub(super) fn wrong_key(key: &str) -> String {
    let shown: String = key.chars().take(4).collect();
    format!(
        "Incorrect API key provided: {shown}****. \
         You can find your API key at https://platform.openai.com/account/api-keys."
    )
}

/// Returns an error of the caller's.
pub(crate) fn error(code: u16, message: &str, param: Option<&str>, name: Option<&str>) -> Outcome {
    Outcome::json(
        status(code),
        &body("invalid_request_error", message, param, name),
    )
}

/// Returns the 404 of an endpoint.
pub(crate) fn not_found(call: &Call) -> Outcome {
    let Call { id, endpoint, .. } = call;
    if id.is_empty() {
        return unknown_url(call.method.as_str(), endpoint.name());
    }
    if matches!(
        endpoint,
        Endpoint::BatchesRetrieve | Endpoint::BatchesCancel
    ) {
        return error(404, &format!("No batch found with id '{id}'."), None, None);
    }
    error(404, &format!("No such File object: {id}"), Some("id"), None)
}

/// Returns the 404 of a path that is no endpoint.
pub(crate) fn unknown_url(method: &str, path: &str) -> Outcome {
    error(404, &format!("Invalid URL ({method} {path})"), None, None)
}

/// Returns a scripted status.
pub(crate) fn of_status(reply: &StatusReply) -> Outcome {
    let outcome = match &reply.body {
        Some(body) => Outcome::scripted(status(reply.code), body),
        None => Outcome::json(status(reply.code), &body_of(reply.code)),
    };
    reply
        .headers
        .iter()
        .fold(outcome, |outcome, (name, value)| {
            outcome.header(name, value)
        })
}

/// Returns the usual body of a status.
pub(super) fn body_of(code: u16) -> Value {
    match code {
        401 => body(
            "invalid_request_error",
            &wrong_key("sk-x"),
            None,
            Some("invalid_api_key"),
        ),
        403 => body(
            "invalid_request_error",
            "You are not allowed to use this model.",
            None,
            Some("permission_denied"),
        ),
        404 => body(
            "invalid_request_error",
            "The requested resource was not found.",
            None,
            None,
        ),
        429 => body(
            "requests",
            "Rate limit reached for requests per min (RPM). Please try again in 6ms.",
            None,
            Some("rate_limit_exceeded"),
        ),
        503 => body(
            "server_error",
            "The engine is currently overloaded, please try again later.",
            None,
            None,
        ),
        500.. => body(
            "server_error",
            "The server had an error while processing your request. Sorry about that!",
            None,
            None,
        ),
        _ => body(
            "invalid_request_error",
            "The request was refused.",
            None,
            None,
        ),
    }
}

/// Words what is wrong with a request body.
pub(super) fn of_prompt(bad: &BadPrompt) -> Value {
    match bad {
        BadPrompt::NoObject => body(
            "invalid_request_error",
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library \
             correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
            None,
            None,
        ),
        BadPrompt::Missing("model") => body(
            "invalid_request_error",
            "you must provide a model parameter",
            None,
            None,
        ),
        BadPrompt::Missing(field) => body(
            "invalid_request_error",
            &format!("Missing required parameter: '{field}'."),
            Some(field),
            Some("missing_required_parameter"),
        ),
        BadPrompt::NoTokens => body(
            "invalid_request_error",
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
            Some("max_tokens"),
            Some("integer_below_min_value"),
        ),
        BadPrompt::Content => body(
            "invalid_request_error",
            "You uploaded an unsupported image. Please make sure your image is valid.",
            Some("messages"),
            Some("invalid_image_format"),
        ),
        BadPrompt::Stream => body(
            "invalid_request_error",
            "Streaming is not offered by this server.",
            Some("stream"),
            Some("unsupported_value"),
        ),
    }
}

/// Words that a model is unknown.
pub(super) fn of_model(model: &str) -> Value {
    let message = format!("The model `{model}` does not exist or you do not have access to it.");
    body(
        "invalid_request_error",
        &message,
        None,
        Some("model_not_found"),
    )
}

fn body(kind: &str, message: &str, param: Option<&str>, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}
