//! Tells the server where the workers are.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use restate_sdk::ingress::RequestExecutor as _;
use url::Url;

use crate::client::reply_message;
use crate::http_client::HttpClient;

/// The server asks the endpoint what it offers before it replies.
const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_REPLY: usize = 1 << 20;

/// The server does not know the workers.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The server cannot be reached.
    #[error("the server at {admin} does not answer")]
    Unavailable {
        /// The URL of its admin API.
        admin: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server refused the endpoint, or could not reach it.
    #[error(
        "the server at {admin} did not accept the endpoint {endpoint}: HTTP {status}: {message}"
    )]
    Refused {
        /// The URL of its admin API.
        admin: String,
        /// The URL under which the server looks for the workers.
        endpoint: String,
        /// The status of its reply.
        status: u16,
        /// What it said.
        message: String,
    },
}

/// Registers the endpoint of workers in a server. It is no error if the server knows it.
///
/// `admin` is the URL of the admin API, and `endpoint` the URL under which the server reaches the workers.
pub async fn register(admin: &Url, endpoint: &Url) -> Result<(), RegisterError> {
    let name = admin.as_str().trim_end_matches('/').to_owned();
    let unavailable = |source: Box<dyn Error + Send + Sync>| RegisterError::Unavailable {
        admin: name.clone(),
        source,
    };
    let client = HttpClient::new(TIMEOUT, MAX_REPLY).map_err(|error| unavailable(error.into()))?;
    // A worker of another version offers the same service, so it may replace what the server knows of this URL.
    let body = serde_json::json!({ "uri": endpoint.as_str(), "force": true });
    let request = http::Request::builder()
        .method(Method::POST)
        .uri(format!("{name}/deployments"))
        .header(CONTENT_TYPE, "application/json")
        .body(Bytes::from(body.to_string()))
        .map_err(|error| unavailable(error.into()))?;
    let reply = client.execute(request).await;
    let reply = reply.map_err(|error| unavailable(error.into()))?;
    if reply.status().is_success() {
        tracing::info!(endpoint = endpoint.as_str(), "registered");
        return Ok(());
    }
    Err(RegisterError::Refused {
        admin: name,
        endpoint: endpoint.to_string(),
        status: reply.status().as_u16(),
        message: reply_message(reply.body()),
    })
}
