//! The receiver of a signal, from the variables of the signal and those for all signals.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::variables::Variables;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The receiver of a signal.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) is_compressed: bool,
    pub(crate) is_json: bool,
}

/// Shows no header and no credential of the URL: they are secrets.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.shown())
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Returns the URL without credentials and without a query.
    pub(crate) fn shown(&self) -> String {
        let origin = self.url.origin().ascii_serialization();
        format!("{origin}{}", self.url.path())
    }
}

impl Endpoint {
    /// Reads the receiver of a signal, whose path is `path` below the endpoint of all signals; `None` if it is off.
    pub(crate) fn read(variables: &mut Variables<'_>, signal: &str, path: &str) -> Option<Self> {
        let (value, name) = variables.of_signal(signal, "ENDPOINT")?;
        let exporter = format!("OTEL_{signal}_EXPORTER");
        let chosen = variables
            .get(&exporter)
            .unwrap_or_else(|| "otlp".to_owned());
        let chosen: Vec<&str> = chosen.split(',').map(str::trim).collect();
        if let Some(other) = chosen.iter().find(|one| !["otlp", "none"].contains(one)) {
            variables.warn(format!(
                "{exporter} {other:?} is not supported; use otlp or none"
            ));
        }
        if !chosen.contains(&"otlp") {
            return None;
        }
        let url = Url::parse(value.trim()).ok();
        let url = url.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
        let Some(mut url) = url else {
            variables.warn(format!(
                "{name} must be a URL such as http://localhost:4318; nothing is sent"
            ));
            return None;
        };
        // The path of a signal is added to the endpoint of all signals only.
        if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
            let base = url.path().trim_end_matches('/').to_owned();
            url.set_path(&format!("{base}/{path}"));
        }
        let is_json = match variables.of_signal(signal, "PROTOCOL") {
            None => false,
            Some((protocol, name)) => match protocol.trim() {
                "http/protobuf" => false,
                "http/json" => true,
                other => {
                    variables.warn(format!(
                        "{name} {other:?} is not supported; use http/protobuf or http/json; nothing is sent"
                    ));
                    return None;
                }
            },
        };
        let is_compressed = match variables.of_signal(signal, "COMPRESSION") {
            None => false,
            Some((compression, name)) => match compression.trim() {
                "none" => false,
                "gzip" => true,
                other => {
                    variables.warn(format!(
                        "{name} {other:?} is not supported; use gzip or none"
                    ));
                    false
                }
            },
        };
        let timeout = variables.of_signal(signal, "TIMEOUT");
        Some(Self {
            url,
            headers: headers(variables, signal),
            timeout: variables.milliseconds(timeout, DEFAULT_TIMEOUT),
            is_compressed,
            is_json,
        })
    }
}

fn headers(variables: &mut Variables<'_>, signal: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some((value, name)) = variables.of_signal(signal, "HEADERS") else {
        return headers;
    };
    for (key, value) in variables.pairs(&value, &name) {
        match (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            (Ok(key), Ok(mut value)) => {
                value.set_sensitive(true);
                headers.insert(key, value);
            }
            _ => variables.warn(format!("{name} has a header that cannot be sent")),
        }
    }
    headers
}
