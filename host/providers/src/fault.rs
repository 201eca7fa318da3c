//! What a provider says when it does not answer, and what that means.
//!
//! Reads the errors of both wire formats, and the bodies that proxies put in
//! their place. When to try again is for [`super::ProviderError::retry`].

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{counted, reading, wait};
use synix_core::clock::Moment;
use synix_core::request::{Failure, FailureKind, Usage};

/// The most characters kept of a provider's message.
const LONGEST_MESSAGE: usize = 1000;

/// Codes that say the account is out of money or pays for less, whatever the status.
const OUT_OF_MONEY: [&str; 6] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "insufficient_credits",
    "not_available_for_plan",
];

/// A provider's reply that is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReply {
    /// The HTTP status; 0 where a batch row gives none.
    pub status: u16,
    /// The provider's code, or the type of its error.
    pub code: Option<String>,
    /// The provider's words, without the key.
    pub message: String,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// How long the provider asks to wait.
    pub wait: Option<Duration>,
    /// What the provider says about trying again.
    pub should_retry: Option<bool>,
}

impl ErrorReply {
    /// Reads an HTTP reply whose status is not 200.
    pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8], now: Moment) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self {
            request_id: header("x-request-id").or_else(|| header("request-id")),
            wait: wait::told(headers, now),
            should_retry: header("x-should-retry").and_then(|text| text.parse().ok()),
            ..Self::of_body(status, body)
        }
    }

    /// Reads the body of an HTTP reply whose status is not 200, from a provider or from what stands before it.
    pub fn of_body(status: u16, body: &[u8]) -> Self {
        match reading::document(body) {
            Ok(value) => Self::of_row(status, &value),
            Err(_) => Self {
                status,
                code: None,
                message: cut(&words_of(&String::from_utf8_lossy(body))),
                request_id: None,
                wait: None,
                should_retry: None,
            },
        }
    }

    /// Reads the body of a batch row whose status is not 200.
    pub(super) fn of_row(status: u16, body: &Value) -> Self {
        let (code, message) = code_and_message(body);
        Self {
            status,
            code,
            message: cut(&message),
            request_id: None,
            wait: None,
            should_retry: None,
        }
    }

    /// Reads an error that came with status 200: `body` holds it as its member `error`.
    ///
    /// Gateways report so what the server behind them said, with its status in the error.
    pub(super) fn within(body: &Value) -> Self {
        let error = body.get("error").unwrap_or(&Value::Null);
        let names = ["code", "status", "status_code", "http_status", "type"];
        let status = names.iter().find_map(|name| {
            let status = u16::try_from(counted::number(error.get(*name)?)?).ok()?;
            (400..600).contains(&status).then_some(status)
        });
        Self::of_row(status.unwrap_or(0), body)
    }

    /// Returns the kind of failure and whether asking the same again may succeed.
    pub fn class(&self) -> (FailureKind, bool) {
        let code = self.code.as_deref().unwrap_or_default();
        let message = self.message.to_ascii_lowercase();
        if self.status == 402
            || OUT_OF_MONEY.contains(&code)
            || message.contains("credit balance is too low")
        {
            return (FailureKind::Quota, false);
        }
        if matches!(code, "content_filter" | "content_policy_violation") {
            return (FailureKind::Filtered, false);
        }
        match self.status_or_guess() {
            401 | 403 => (FailureKind::Auth, false),
            408 | 409 | 425 | 429 => (FailureKind::Provider, true),
            400..=499 => (FailureKind::Invalid, false),
            100..=399 => (FailureKind::Provider, false),
            _ => (FailureKind::Provider, true),
        }
    }

    pub(super) fn to_failure(&self) -> Failure {
        let (kind, passing) = self.class();
        Failure {
            kind,
            message: self.to_string(),
            passing,
            usage: Usage::default(),
        }
    }

    /// Rows that never went through HTTP have a code alone.
    fn status_or_guess(&self) -> u16 {
        if self.status != 0 {
            return self.status;
        }
        let code = self.code.as_deref().unwrap_or_default();
        let code = code.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        match code.as_str() {
            "authentication_error"
            | "invalid_api_key"
            | "incorrect_api_key"
            | "unauthenticated"
            | "unauthorized" => 401,
            "permission_error" | "permission_denied" | "forbidden" | "access_denied" => 403,
            "not_found_error" | "not_found" | "model_not_found" => 404,
            "request_too_large" | "payload_too_large" => 413,
            "rate_limit_error"
            | "rate_limit_exceeded"
            | "rate_limited"
            | "too_many_requests"
            | "resource_exhausted" => 429,
            "context_length_exceeded"
            | "bad_request"
            | "bad_request_error"
            | "unprocessable_entity"
            | "failed_precondition"
            | "string_above_max_length" => 400,
            code if ["invalid_", "unsupported", "missing_"]
                .iter()
                .any(|start| code.starts_with(start)) =>
            {
                400
            }
            _ => 0,
        }
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = if self.message.is_empty() {
            "no message"
        } else {
            &self.message
        };
        let mut facts = Vec::new();
        if self.status != 0 {
            facts.push(format!("HTTP {}", self.status));
        }
        let status = self.status.to_string();
        facts.extend(self.code.clone().filter(|code| *code != status));
        facts.extend(self.request_id.as_ref().map(|id| format!("request {id}")));
        if facts.is_empty() {
            return f.write_str(said);
        }
        write!(f, "{said} ({})", facts.join(", "))
    }
}

/// Finds code and message where providers put them, the error's own member first.
fn code_and_message(body: &Value) -> (Option<String>, String) {
    let error = body.get("error").filter(|error| !error.is_null());
    let error = error.unwrap_or(body);
    let text = |name: &str| match error.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    let message = text("message").or_else(|| text("detail"));
    let message = message.unwrap_or_else(|| match error {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(members) if members.is_empty() => String::new(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    });
    (text("code").or_else(|| text("type")), message)
}

/// Returns what a body that is not JSON says: a page's title, else its words.
pub(super) fn words_of(body: &str) -> String {
    let lower = body.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(body[start..end].trim())
    });
    if let Some(title) = title {
        return format!("an HTML page titled {title:?}");
    }
    if lower.trim_start().starts_with("<!doctype html") || lower.contains("<html") {
        return "an HTML page".to_owned();
    }
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn cut(text: &str) -> String {
    cut_to(text, LONGEST_MESSAGE)
}

/// Returns the first characters of a text, with a mark where more would follow.
pub(super) fn cut_to(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(status: u16, body: &str) -> ErrorReply {
        ErrorReply::read(status, &HeaderMap::new(), body.as_bytes(), Moment(0))
    }

    fn class(status: u16, code: &str) -> (FailureKind, bool) {
        ErrorReply::of_row(status, &json!({"error": {"code": code, "message": "m"}})).class()
    }

    #[test]
    fn a_status_decides_the_class() {
        for status in [400, 404, 413, 422] {
            assert_eq!(
                class(status, "x"),
                (FailureKind::Invalid, false),
                "{status}"
            );
        }
        for status in [401, 403] {
            assert_eq!(class(status, "x"), (FailureKind::Auth, false), "{status}");
        }
        for status in [0, 408, 409, 429, 500, 502, 503, 504, 529] {
            assert_eq!(
                class(status, "x"),
                (FailureKind::Provider, true),
                "{status}"
            );
        }
    }

    /// L18: a 429 for want of money is not a rate limit.
    #[test]
    fn want_of_money_does_not_pass() {
        assert_eq!(
            class(429, "insufficient_quota"),
            (FailureKind::Quota, false)
        );
        assert_eq!(class(402, "x"), (FailureKind::Quota, false));
        assert_eq!(
            class(403, "not_available_for_plan"),
            (FailureKind::Quota, false)
        );
        let low = json!({"type": "error", "error": {"type": "invalid_request_error",
            "message": "Your credit balance is too low to access the API."}});
        assert_eq!(
            ErrorReply::of_row(400, &low).class(),
            (FailureKind::Quota, false)
        );
    }

    #[test]
    fn a_filtered_prompt_is_not_called_invalid() {
        assert_eq!(class(400, "content_filter"), (FailureKind::Filtered, false));
    }

    #[test]
    fn both_wire_formats_are_read() {
        let openai = read(
            404,
            r#"{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
        );
        assert_eq!(
            openai.to_string(),
            "no such model (HTTP 404, model_not_found)"
        );
        let anthropic = read(
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
        );
        assert_eq!(
            anthropic.to_string(),
            "Overloaded (HTTP 529, overloaded_error)"
        );
    }

    #[test]
    fn bodies_of_other_shapes_still_say_something() {
        assert_eq!(
            read(502, "<html><head><title> Bad Gateway</title></head></html>").message,
            "an HTML page titled \"Bad Gateway\""
        );
        assert_eq!(read(503, "<!DOCTYPE html>…").message, "an HTML page");
        assert_eq!(read(500, "").to_string(), "no message (HTTP 500)");
        assert_eq!(read(500, "{}").to_string(), "no message (HTTP 500)");
        assert_eq!(read(500, "upstream\n down").message, "upstream down");
        assert_eq!(read(400, r#"{"error":"bad"}"#).message, "bad");
        assert_eq!(read(400, r#"{"detail":"bad"}"#).message, "bad");
        assert_eq!(read(400, r#"[1]"#).message, "[1]");
    }

    #[test]
    fn a_huge_message_is_cut() {
        assert_eq!(read(500, &"é".repeat(5000)).message.chars().count(), 1001);
    }

    #[test]
    fn a_request_id_is_shown() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", "req_7".parse().unwrap());
        let reply = ErrorReply::read(500, &headers, b"", Moment(0));
        assert_eq!(reply.to_string(), "no message (HTTP 500, request req_7)");
    }
}
