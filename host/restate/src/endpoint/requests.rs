//! Answers one request to the endpoint: refuses what is no request of Restate, and limits what it may send.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full, Limited};
use hyper::body::Incoming;
use restate_sdk::endpoint::{Endpoint, HandleOptions, ProtocolMode, ResponseBody};

use crate::MAX_MESSAGE;

/// The largest body: one message of the server, and those around it.
const MAX_BODY: usize = MAX_MESSAGE + (1 << 20);

pub(super) fn answer(endpoint: &Endpoint, request: Request<Incoming>) -> Response<ResponseBody> {
    if !is_known(request.uri().path()) {
        let body = Full::new(Bytes::from_static(b"this is a worker of synix\n"));
        let mut refused = Response::new(ResponseBody::from(Either::Left(body)));
        *refused.status_mut() = StatusCode::NOT_FOUND;
        return refused;
    }
    let options = HandleOptions {
        protocol_mode: ProtocolMode::BidiStream,
    };
    endpoint.handle_with_options(request.map(|body| Limited::new(body, MAX_BODY)), options)
}

/// Returns whether the library answers this path. It assumes that all others have three parts, and panics otherwise.
fn is_known(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts.as_slice(),
        ["", "health" | "discover"] | ["", "invoke", _, _]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_restate_reach_the_library() {
        for path in ["/health", "/discover", "/invoke/synix.Units/run"] {
            assert!(is_known(path), "{path}");
        }
        for path in ["", "/", "*", "/invoke", "/invoke/x", "/a/invoke/b/c", "/a/b/c"] {
            assert!(!is_known(path), "{path}");
        }
    }
}
