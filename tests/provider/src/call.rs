//! One call and its outcome, before and after they are HTTP.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::ledger::Receipt;
use crate::script::FaultKind;

/// A call of an endpoint, with its whole body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: Method,
    pub(crate) id: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) faults: Vec<FaultKind>,
}

/// What is sent back.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The receipt that a complete reply delivers.
    pub(crate) receipt: Option<Receipt>,
    pub(crate) wait: Wait,
    pub(crate) delivery: Delivery,
}

/// What a finished reply waits for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wait {
    pub(crate) time: Duration,
    /// Whether it then waits for another script.
    pub(crate) held: bool,
}

/// How much of a reply is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// Without the last `drop` bytes; `hidden` if `content-length` does not tell.
    Cut {
        drop: usize,
        hidden: bool,
    },
    HangUp,
}

impl Call {
    /// Returns a parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// Returns the parameter `limit`, or `Err` where it is no number from 1 to `most`.
    pub(crate) fn limit(&self, usual: usize, most: usize) -> Result<usize, String> {
        let Some(text) = self.query("limit") else {
            return Ok(usual);
        };
        match text.parse() {
            Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
            _ => Err(text.to_owned()),
        }
    }

    /// Returns a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns how many of the newest batches a list hides.
    pub(crate) fn hidden(&self) -> usize {
        let hidden = self.faults.iter().map(|fault| {
            if let FaultKind::HideNewest { batches } = fault {
                *batches
            } else {
                0
            }
        });
        hidden.sum()
    }
}

impl Outcome {
    /// Returns bytes of a media type.
    pub(crate) fn bytes(
        status: StatusCode,
        media_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self {
            status,
            headers,
            body: body.into(),
            receipt: None,
            wait: Wait::default(),
            delivery: Delivery::Whole,
        }
    }

    /// Returns a JSON document.
    pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Self {
        Self::bytes(status, "application/json", to_json(document))
    }

    /// Returns a JSON document with status 200.
    pub(crate) fn ok(document: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, document)
    }

    /// Returns a scripted body: a string as that text, anything else as JSON.
    pub(crate) fn scripted(status: StatusCode, body: &Value) -> Self {
        match body {
            Value::String(text) => Self::bytes(status, "text/html", text.clone()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => Self::json(status, body),
        }
    }

    /// Returns a proxy's error page.
    pub(crate) fn html_502() -> Self {
        Self::bytes(StatusCode::BAD_GATEWAY, "text/html", BAD_GATEWAY)
    }

    /// Returns a closed connection.
    pub(crate) fn hang_up() -> Self {
        Self {
            delivery: Delivery::HangUp,
            ..Self::bytes(StatusCode::OK, "text/plain", Bytes::new())
        }
    }

    /// Adds a header; one that HTTP cannot carry is left out.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.insert(name, value);
        }
        self
    }
}

/// The page of a proxy that cannot reach the provider.
pub(crate) const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n";

/// Returns the HTTP status with a number, or 500 if the number is invalid.
pub(crate) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Writes a document as JSON.
pub(crate) fn to_json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents with text keys can be written to memory")
}
