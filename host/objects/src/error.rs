//! The errors of a store: their kind, advice, and a text without credentials.

use std::error::Error as _;

use object_store::Error;
use synix_core::printable::escape_line;
use synix_shared::{ObjectsError, ObjectsErrorKind};

/// The longest text of a cause. Servers send pages of XML.
const MAX_TEXT: usize = 400;

/// Values that no message may contain.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    #[cfg_attr(
        not(feature = "cloud"),
        expect(dead_code, reason = "a folder has no secrets")
    )]
    pub(crate) fn add(&mut self, value: &str) {
        // A text of a few characters is no secret, and would make every message unreadable.
        if value.len() >= 4 {
            self.0.push(value.to_owned());
            // In an URL, a signature has other characters.
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            self.0.push(encoded);
        }
    }

    /// Returns the text of an error and its causes, without secrets and without the query of any URL.
    pub(crate) fn redact(&self, error: &Error) -> String {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            let more = cause.to_string();
            // Most of these errors repeat their source.
            if !text.contains(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            next = cause.source();
        }
        for secret in &self.0 {
            text = text.replace(secret, "***");
        }
        let mut text = without_queries(&text);
        if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
            text.truncate(end);
            text.push('…');
        }
        escape_line(text.trim())
    }
}

/// Cuts the query from each URL: it may be a signature.
fn without_queries(text: &str) -> String {
    let ends_url = |next: char| next.is_whitespace() || "\"'<>)".contains(next);
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, url) = rest.split_at(start + 3);
        let end = url.find(ends_url).unwrap_or(url.len());
        let (url, after) = url.split_at(end);
        result.push_str(before);
        result.push_str(url.split_once('?').map_or(url, |(path, _)| path));
        rest = after;
    }
    result + rest
}

/// An operation that failed.
pub(crate) struct Failed<'a> {
    pub(crate) operation: &'static str,
    pub(crate) path: &'a str,
}

impl Failed<'_> {
    pub(crate) fn to_error(&self, error: &Error, secrets: &Secrets) -> ObjectsError {
        let (kind, advice) = classify(error);
        ObjectsError {
            kind,
            operation: self.operation,
            path: self.path.to_owned(),
            advice,
            source: Some(secrets.redact(error).into()),
        }
    }
}

const CHECK_CREDENTIALS: &str = "set the credentials of the store in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and permit reading, creating, listing and deleting";
const CHECK_BUCKET: &str =
    "check that the bucket or folder in the URL of the shared answers exists";
const CHECK_REGION: &str = "check AWS_REGION and AWS_ENDPOINT_URL";
const NEEDS_CONDITIONS: &str =
    "shared answers need a store that knows conditional puts (`If-None-Match: *`)";

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library may add variants; what is unknown is tried again"
)]
fn classify(error: &Error) -> (ObjectsErrorKind, Option<&'static str>) {
    use ObjectsErrorKind::{Denied, Unusable};
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            (Denied, Some(CHECK_CREDENTIALS))
        }
        // An object that is not there is no error of these operations, so it is the bucket.
        Error::NotFound { .. } => (Unusable, Some(CHECK_BUCKET)),
        Error::NotSupported { .. } | Error::NotImplemented { .. } => {
            (Unusable, Some(NEEDS_CONDITIONS))
        }
        Error::InvalidPath { .. } | Error::UnknownConfigurationKey { .. } => (Unusable, None),
        other => classify_text(&other.to_string()),
    }
}

/// The library keeps the status of other errors in a private type; its text begins like this.
fn classify_text(text: &str) -> (ObjectsErrorKind, Option<&'static str>) {
    use ObjectsErrorKind::{Denied, Unavailable, Unusable};
    let status = text
        .split_once("status code: ")
        .and_then(|(_, rest)| rest.get(..3)?.parse::<u16>().ok());
    match status {
        Some(501) => (Unusable, Some(NEEDS_CONDITIONS)),
        Some(408 | 429) => (Unavailable, None),
        Some(400..=499) => (Unusable, Some(CHECK_REGION)),
        _ if text.contains("redirect without LOCATION") => (Unusable, Some(CHECK_REGION)),
        _ if text.contains("Permission denied") => {
            (Denied, Some("permit this user to write in the folder"))
        }
        _ => (Unavailable, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic {
            store: "S3",
            source: text.into(),
        }
    }

    #[test]
    fn no_message_contains_a_secret_or_a_signature() {
        let mut secrets = Secrets::default();
        secrets.add("hunter2/+");
        let error = generic(
            "error for url (https://a.blob/x?sig=abc&se=1), key hunter2/+ as hunter2%2F%2B\n<Error>",
        );
        let text = secrets.redact(&error);
        assert_eq!(
            text,
            "Generic S3 error: error for url (https://a.blob/x), key *** as ***\\n<Error>"
        );
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }

    #[test]
    fn only_errors_that_a_retry_can_repair_are_transient() {
        let kind = |text: &str| classify(&generic(text)).0;
        for (text, expected) in [
            (
                "Server returned non-2xx status code: 503 Slow Down: x",
                ObjectsErrorKind::Unavailable,
            ),
            (
                "Server returned non-2xx status code: 429: x",
                ObjectsErrorKind::Unavailable,
            ),
            ("error sending request", ObjectsErrorKind::Unavailable),
            (
                "Server returned non-2xx status code: 400 Bad Request: x",
                ObjectsErrorKind::Unusable,
            ),
            (
                "Server returned non-2xx status code: 501 x",
                ObjectsErrorKind::Unusable,
            ),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
