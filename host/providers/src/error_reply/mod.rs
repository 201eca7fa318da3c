//! The error replies of providers, and what they mean.
//!
//! Reads the errors of both wire formats, and the bodies that proxies send in
//! their place. [`super::ProviderError::retry`] decides about retries.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{excerpt, rate_limit_headers, reply_json, usage};
use synix_core::clock::Timestamp;
use synix_core::request::{Failure, FailureKind, Usage};

/// The status by which a provider refuses a request because it is overloaded: nothing was processed.
pub(super) const OVERLOADED: u16 = 529;

/// Codes of an account without credit, or of a plan that excludes the request, with any status.
const QUOTA_CODES: [&str; 6] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "insufficient_credits",
    "not_available_for_plan",
];

/// An error reply of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReply {
    /// The HTTP status; 0 if a batch row has none.
    pub status: u16,
    /// The provider's code, or the type of its error.
    pub code: Option<String>,
    /// The provider's message, with the key masked.
    pub message: String,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// How long the provider asks to wait.
    pub wait: Option<Duration>,
    /// The value of the header `x-should-retry`.
    pub should_retry: Option<bool>,
}

impl ErrorReply {
    /// Reads an HTTP reply whose status is not 200.
    pub(super) fn from_response(
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self {
            request_id: header("x-request-id").or_else(|| header("request-id")),
            wait: rate_limit_headers::retry_after(headers, now),
            should_retry: header("x-should-retry").and_then(|text| text.parse().ok()),
            ..Self::from_body(status, body)
        }
    }

    /// Reads the body of an HTTP reply whose status is not 200, from a provider or a proxy.
    pub fn from_body(status: u16, body: &[u8]) -> Self {
        match reply_json::parse(body) {
            Ok(value) => Self::from_json(status, &value),
            Err(_) => Self {
                status,
                code: None,
                message: excerpt::truncate_message(&excerpt::describe_non_json(
                    &String::from_utf8_lossy(body),
                )),
                request_id: None,
                wait: None,
                should_retry: None,
            },
        }
    }

    /// Reads the parsed body of an error, such as that of a batch row.
    pub(super) fn from_json(status: u16, body: &Value) -> Self {
        let (code, message) = code_and_message(body);
        Self {
            status,
            code,
            message: excerpt::truncate_message(&message),
            request_id: None,
            wait: None,
            should_retry: None,
        }
    }

    /// Reads the member `error` of a reply with status 200.
    ///
    /// Gateways pass on the error of their upstream server like this, with its status in the error.
    pub(super) fn from_error_member(body: &Value) -> Self {
        let error = body.get("error").unwrap_or(&Value::Null);
        let names = ["code", "status", "status_code", "http_status", "type"];
        let status = names.iter().find_map(|name| {
            let status = u16::try_from(usage::parse_count(error.get(*name)?)?).ok()?;
            (400..600).contains(&status).then_some(status)
        });
        Self::from_json(status.unwrap_or(0), body)
    }

    /// Returns the kind of failure, and whether it is transient: the same request may succeed later.
    pub fn classify(&self) -> (FailureKind, bool) {
        let code = self.code.as_deref().unwrap_or_default();
        let message = self.message.to_ascii_lowercase();
        if self.status == 402
            || QUOTA_CODES.contains(&code)
            || message.contains("credit balance is too low")
        {
            return (FailureKind::Quota, false);
        }
        if matches!(code, "content_filter" | "content_policy_violation") {
            return (FailureKind::Filtered, false);
        }
        match self.effective_status() {
            401 | 403 => (FailureKind::Auth, false),
            408 | 409 | 425 | 429 => (FailureKind::Provider, true),
            400..=499 => (FailureKind::Invalid, false),
            100..=399 => (FailureKind::Provider, false),
            _ => (FailureKind::Provider, true),
        }
    }

    pub(super) fn to_failure(&self) -> Failure {
        let (kind, is_transient) = self.classify();
        Failure {
            kind,
            message: self.to_string(),
            transient: is_transient,
            usage: Usage::default(),
        }
    }

    /// Returns the status, or the one that matches the code: rows of a batch may have only a code.
    fn effective_status(&self) -> u16 {
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
        let message = if self.message.is_empty() {
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
            return f.write_str(message);
        }
        write!(f, "{message} ({})", facts.join(", "))
    }
}

/// Finds the code and the message, in the member `error` if there is one.
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
