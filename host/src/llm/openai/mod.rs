//! OpenAI's wire format: chat completions, files and batches.

mod batch;
mod body;
mod files;
mod reply;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue};

use super::Secret;

#[cfg(test)]
pub(super) use batch::read as read_batch;
pub(super) use batch::{TRAITS, cancel, create, list, poll};
pub(super) use body::body;
pub use body::is_reasoning_model;
pub(super) use files::{download, upload};
pub(super) use reply::outcome;

/// The path of a completion below the base URL.
pub(super) const COMPLETE: &[&str] = &["chat", "completions"];

/// The same path as batches name it, whatever the base URL is.
pub(super) const BATCH_ENDPOINT: &str = "/v1/chat/completions";

/// Returns the headers that go with every request.
pub(super) fn headers(key: Option<&Secret>) -> Result<HeaderMap, InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.reveal()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}
