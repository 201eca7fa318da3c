//! OpenAI's wire format: chat completions, files and batches, also at those who copy it.

mod batch;
mod body;
mod dialect;
mod files;
mod object;
mod reply;

use dialect::KeyHeader;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};

use super::Secret;

pub(super) use batch::{cancel, create, list, poll};
pub(super) use body::body;
pub use body::is_reasoning_model;
pub(super) use dialect::{Dialect, Line};
pub(super) use files::{download, upload};
#[cfg(test)]
pub(super) use object::read as read_batch;
pub(super) use reply::heard;

/// The path of a completion below the base URL.
pub(super) const COMPLETE: &[&str] = &["chat", "completions"];

/// Returns the headers that go with every request.
pub(super) fn headers(
    dialect: &Dialect,
    key: Option<&Secret>,
) -> Result<HeaderMap, InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let (name, text) = match dialect.key {
            KeyHeader::Bearer => (AUTHORIZATION, format!("Bearer {}", key.reveal())),
            KeyHeader::ApiKey => (HeaderName::from_static("api-key"), key.reveal().to_owned()),
        };
        let mut value = HeaderValue::from_str(&text)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
