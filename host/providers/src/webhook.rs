//! One POST of a document to a URL that is no provider, over the same HTTP.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::transport::{Connections, client};

/// Why a document did not arrive. Never holds the URL: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It is no URL.
    #[error("it is no URL of the web")]
    NotAUrl,
    /// The call failed.
    #[error("the call failed")]
    Call(#[source] reqwest::Error),
    /// The server refused.
    #[error("the server answered {0}")]
    Refused(u16),
}

/// Sends a JSON document, once.
pub async fn post_json(url: &str, document: String, limit: Duration) -> Result<(), WebhookError> {
    let url = Url::parse(url).map_err(|_| WebhookError::NotAUrl)?;
    let failed = |error: reqwest::Error| WebhookError::Call(error.without_url());
    let reply = client(&url, &HeaderMap::new(), Connections::Fresh)
        .map_err(|unmade| failed(unmade.into_source()))?
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
