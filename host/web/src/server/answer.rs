//! Answers one request: refuses it, or has the site make the page.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use hyper::{Method, StatusCode};

use super::Shared;
use crate::guard::{Access, Asked, TOKEN};
use crate::links::Links;
use crate::reply::{Reply, Status};
use crate::target::Request;

type Response = hyper::Response<Full<Bytes>>;

/// The largest form, in bytes.
const MAX_FORM: usize = 16 * 1024;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Tells the script whether to ask again.
const LIVE: HeaderName = HeaderName::from_static("x-synix-live");

/// What every reply says, also one that refuses.
const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

pub(super) async fn answer<B>(request: hyper::Request<B>, shared: Arc<Shared>) -> Response
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut response = respond(request, shared).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn respond<B>(request: hyper::Request<B>, shared: Arc<Shared>) -> Response
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let asked = Asked {
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
    };
    let address = head
        .uri
        .path_and_query()
        .map_or("/", |whole| whole.as_str());
    match shared.guard.check(&asked) {
        Err(refusal) => return text(StatusCode::FORBIDDEN, &refusal.to_string()),
        Ok(Access::ByAddress) => return with_cookie(&shared, address),
        Ok(Access::Granted) => {}
    }
    let wanted = match head.method {
        Method::GET | Method::HEAD => Request::parse(address),
        Method::POST if head.uri.path() == SEARCH => match fields(body).await {
            Some(fields) => Request::parse_form(SEARCH, &fields),
            None => return text(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large"),
        },
        _ => {
            let mut refused = text(
                StatusCode::METHOD_NOT_ALLOWED,
                "this page can only be read; use GET",
            );
            let allowed = HeaderValue::from_static("GET, HEAD");
            refused.headers_mut().insert(ALLOW, allowed);
            return refused;
        }
    };
    match make(wanted, Arc::clone(&shared)).await {
        Some(reply) => page(reply),
        None => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the page ended with a bug in synix",
        ),
    }
}

/// Makes a page on a thread of its own, because it reads files.
async fn make(wanted: Request, shared: Arc<Shared>) -> Option<Reply> {
    let turn = Arc::clone(&shared);
    let _turn = turn.pages.acquire().await.ok()?;
    let made = tokio::task::spawn_blocking(move || {
        let links = Links::Server(wanted.snapshot.as_deref());
        shared.site.page(&wanted, &links)
    });
    made.await.ok()
}

const SEARCH: &str = "/search";

async fn fields<B>(body: B) -> Option<Bytes>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = Limited::new(body, MAX_FORM).collect().await.ok()?;
    Some(body.to_bytes())
}

/// Puts the token into a cookie, and takes it out of the address, which a browser keeps and shows.
fn with_cookie(shared: &Shared, address: &str) -> Response {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let mut kept = form_urlencoded::Serializer::new(String::new());
    let fields = form_urlencoded::parse(query.as_bytes());
    kept.extend_pairs(fields.filter(|(name, _)| name != TOKEN));
    let location = match kept.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    let mut response = text(StatusCode::SEE_OTHER, "");
    let token = shared.guard.token.as_ref().map_or("", |token| token.text());
    let cookie = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Strict",
        shared.guard.cookie()
    );
    // A path such as `//host` would lead to another server.
    let location = format!("/{}", location.trim_start_matches(['/', '\\']));
    set(response.headers_mut(), LOCATION, &location);
    set(response.headers_mut(), SET_COOKIE, &cookie);
    response
}

fn page(reply: Reply) -> Response {
    let status = match reply.status {
        Status::Found => StatusCode::OK,
        Status::NotFound => StatusCode::NOT_FOUND,
        Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = hyper::Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    set(headers, CONTENT_TYPE, reply.media_type);
    set(headers, LIVE, if reply.is_live { "yes" } else { "no" });
    if reply.is_download {
        set(headers, CONTENT_DISPOSITION, "attachment");
    }
    response
}

fn text(status: StatusCode, text: &str) -> Response {
    let mut response = hyper::Response::new(Full::new(Bytes::from(format!("{text}\n"))));
    *response.status_mut() = status;
    set(response.headers_mut(), CONTENT_TYPE, Reply::TEXT);
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Everything is ASCII: addresses are encoded, and a path that is not was refused before.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
