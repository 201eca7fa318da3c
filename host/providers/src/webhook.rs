//! Posts one JSON document to a URL of the user's, with the HTTP client of the providers.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::transport::{Connections, create_client};

/// Why a document was not delivered. Never contains the URL, which may be secret.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The text is not a URL.
    #[error("it is not a valid URL")]
    NotAUrl,
    /// The call failed.
    #[error("the call failed")]
    Call(#[source] reqwest::Error),
    /// The server replied with this status.
    #[error("the server replied with status {0}")]
    Refused(u16),
}

/// Sends a JSON document once.
pub async fn post_json(url: &str, document: String, limit: Duration) -> Result<(), WebhookError> {
    let url = Url::parse(url).map_err(|_| WebhookError::NotAUrl)?;
    let failed = |error: reqwest::Error| WebhookError::Call(error.without_url());
    let reply = create_client(&url, &HeaderMap::new(), Connections::Fresh)
        .map_err(|error| failed(error.into_source()))?
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .timeout(limit)
        .body(document)
        .send()
        .await
        .map_err(failed)?;
    if reply.status().is_success() {
        Ok(())
    } else {
        Err(WebhookError::Refused(reply.status().as_u16()))
    }
}
