//! Answers one request to the endpoint: refuses what is no request of Restate, and limits how many calls are read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use restate_sdk::endpoint::{Endpoint, HandleOptions, ProtocolMode, ResponseBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Shape;
use crate::service_names::{ADVANCE, JOB};

/// What an endpoint answers with.
#[derive(Clone)]
pub(super) struct Requests {
    endpoint: Endpoint,
    /// Restate pushes hundreds of calls at a time. Those beyond these wait unread: read, they could fill the memory.
    calls: Arc<Semaphore>,
    /// The turns of jobs, which may take days. Others do not wait for them.
    turns: Arc<Semaphore>,
    max_body: usize,
}

impl Requests {
    pub(super) fn new(endpoint: Endpoint, shape: &Shape) -> Self {
        Self {
            endpoint,
            calls: Arc::new(Semaphore::new(shape.calls)),
            turns: Arc::new(Semaphore::new(shape.turns)),
            max_body: shape.max_body,
        }
    }

    pub(super) async fn answer(self, request: Request<Incoming>) -> Response<ReplyBody> {
        let Some(kind) = kind_of(request.uri().path()) else {
            let body = Full::new(Bytes::from_static(b"this is an endpoint of synix\n"));
            let mut refused = Response::new(ReplyBody {
                body: ResponseBody::from(Either::Left(body)),
                _call: None,
            });
            *refused.status_mut() = StatusCode::NOT_FOUND;
            return refused;
        };
        // The semaphores are never closed.
        let call = match kind {
            Kind::Question => None,
            Kind::Call => self.calls.acquire_owned().await.ok(),
            Kind::Turn => self.turns.acquire_owned().await.ok(),
        };
        let options = HandleOptions {
            protocol_mode: ProtocolMode::BidiStream,
        };
        let request = request.map(|body| Limited::new(body, self.max_body));
        let reply = self.endpoint.handle_with_options(request, options);
        reply.map(|body| ReplyBody { body, _call: call })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whether the endpoint is there, and what it offers.
    Question,
    /// A chunk, or a call of a service.
    Call,
    /// A turn of a job.
    Turn,
}

/// Returns the kind of a request that the library answers. It assumes that all other paths have three parts, and panics
/// otherwise.
fn kind_of(path: &str) -> Option<Kind> {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["", "health" | "discover"] => Some(Kind::Question),
        ["", "invoke", JOB, ADVANCE] => Some(Kind::Turn),
        ["", "invoke", _, _] => Some(Kind::Call),
        _ => None,
    }
}

/// The reply of the library, which answers the call, with the permission to do so.
pub(super) struct ReplyBody {
    body: ResponseBody,
    _call: Option<OwnedSemaphorePermit>,
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = <ResponseBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_restate_reach_the_library() {
        for path in ["/health", "/discover"] {
            assert_eq!(kind_of(path), Some(Kind::Question), "{path}");
        }
        assert_eq!(kind_of("/invoke/synix.Units/run"), Some(Kind::Call));
        assert_eq!(kind_of("/invoke/synix.Job/advance"), Some(Kind::Turn));
        assert_eq!(kind_of("/invoke/synix.Job/report"), Some(Kind::Call));
        for path in [
            "",
            "/",
            "*",
            "/invoke",
            "/invoke/x",
            "/a/invoke/b/c",
            "/a/b/c",
        ] {
            assert_eq!(kind_of(path), None, "{path}");
        }
    }
}
