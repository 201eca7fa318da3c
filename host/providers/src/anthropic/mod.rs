//! Anthropic's wire format: messages and message batches.

mod batch;
mod body;
mod create;
mod reply;

use reqwest::header::{HeaderMap, HeaderValue, InvalidHeaderValue};

use super::Secret;

pub(super) use batch::{cancel, download, list, poll};
pub(super) use body::body;
pub(super) use create::{TRAITS, create};
pub(super) use reply::parse;

/// The path of a completion below the base URL, which has no `/v1`.
pub(super) const COMPLETE: &[&str] = &["v1", "messages"];

const VERSION: &str = "2023-06-01";

/// Returns the headers of every request.
pub(super) fn headers(key: Option<&Secret>) -> Result<HeaderMap, InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
    if let Some(key) = key {
        let mut value = HeaderValue::from_str(key.reveal())?;
        value.set_sensitive(true);
        headers.insert("x-api-key", value);
    }
    Ok(headers)
}
