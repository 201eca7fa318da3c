//! The client of a service: hands a job to the server, and asks about builds.

use std::fmt;
use std::time::Duration;

use restate_sdk::ingress::{CallResponse, Client, ClientError, Request, RequestTarget};
use restate_sdk::serde::Deserialize;
use url::Url;

use super::failure::{Failure, Kind};
use super::{InvalidEngine, ingress, is_still_running};
use crate::endpoint::{REFUSED, UNKNOWN};
use crate::http_client::HttpClient;
use crate::service_names::{ASK, BUILDS, JOB, REPORT, SUBMIT};

/// How long a call waits for the service. The server repeats a call to a service that is away.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Why a call to a service has no result.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The server cannot be reached, or knows no service.
    #[error("the server at {server} cannot be used: {reason}")]
    Unavailable {
        /// The URL of its ingress.
        server: String,
        /// Why.
        reason: String,
    },
    /// The server has the call, and the service has not answered yet.
    #[error("the service has not answered yet")]
    Waiting,
    /// The server knows no such job.
    #[error("the server at {server} knows no such job")]
    Unknown {
        /// The URL of its ingress.
        server: String,
    },
    /// The service refused the call. The text is the service's.
    #[error("{0}")]
    Refused(String),
}

/// A server that hands builds to a service.
pub struct ServiceClient {
    server: String,
    client: Client<HttpClient>,
}

impl ServiceClient {
    /// Creates a client of the server whose ingress has this URL. It contacts nobody.
    pub fn new(url: &Url) -> Result<Self, InvalidEngine> {
        let (server, client) = ingress(url, CALL_TIMEOUT)?;
        Ok(Self { server, client })
    }

    /// Returns the URL of the ingress.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Hands over a job. The key names it among all jobs of the server; the same job again changes nothing.
    ///
    /// After [`ServiceError::Waiting`] the server has the job, and hands it to the service as soon as there is one.
    pub async fn submit(&self, key: &str, job: &str) -> Result<(), ServiceError> {
        let target = RequestTarget::object(JOB, key, SUBMIT);
        let request: Request<_, String, ()> = self.client.request(target, job.to_owned());
        self.body(request.idempotency_key(key).call().await)
    }

    /// Returns the last report of a job; `None` before its first turn.
    pub async fn report(&self, key: &str) -> Result<Option<String>, ServiceError> {
        let target = RequestTarget::object(JOB, key, REPORT);
        let request: Request<_, (), String> = self.client.request(target, ());
        let report = self.body(request.call().await)?;
        Ok(Some(report).filter(|report| !report.is_empty()))
    }

    /// Asks the service a question.
    pub async fn ask(&self, question: &str) -> Result<String, ServiceError> {
        let target = RequestTarget::service(BUILDS, ASK);
        let request: Request<_, String, String> = self.client.request(target, question.to_owned());
        self.body(request.call().await)
    }

    fn body<R: Deserialize + 'static>(
        &self,
        called: Result<CallResponse<HttpClient, R>, ClientError>,
    ) -> Result<R, ServiceError> {
        called.and_then(CallResponse::into_body).map_err(|error| {
            if is_still_running(&error) {
                return ServiceError::Waiting;
            }
            let failure = Failure::of_service(&error);
            let status = failure.status.map(|status| status.as_u16());
            match (failure.kind, status) {
                (_, Some(UNKNOWN)) => ServiceError::Unknown {
                    server: self.server.clone(),
                },
                (Kind::Refused, Some(REFUSED)) => ServiceError::Refused(failure.into_reason()),
                (Kind::Unanswered | Kind::Failed | Kind::Refused, _) => ServiceError::Unavailable {
                    server: self.server.clone(),
                    reason: failure.into_reason(),
                },
            }
        })
    }
}

impl fmt::Debug for ServiceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceClient")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
