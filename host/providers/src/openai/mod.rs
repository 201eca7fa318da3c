//! OpenAI's wire format, also of compatible servers: chat completions, files and batches.

mod batch;
mod batch_object;
mod body;
mod dialect;
mod embedding;
mod files;
mod reply;

use dialect::KeyHeader;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};

use super::Secret;

pub(super) use batch::{cancel, create, list, poll};
#[cfg(test)]
pub(super) use batch_object::parse as parse_batch;
pub(super) use body::body;
pub use body::is_reasoning_model;
pub(super) use dialect::{Dialect, LineForm};
pub(super) use embedding::{
    body as embedding_body, parse as parse_embedding, parse_several as parse_embeddings,
};
pub(super) use files::{download, upload};
pub(super) use reply::parse;

/// The path of a completion below the base URL.
pub(super) const COMPLETE: &[&str] = &["chat", "completions"];

/// The path of embeddings below the base URL.
pub(super) const EMBED: &[&str] = &["embeddings"];

/// Returns the headers of every request.
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
