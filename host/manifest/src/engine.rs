//! The settings of the machines that run units. `synix-project` connects to them.

use std::num::NonZero;

use super::manifest::EngineEntry;

/// The default of [`EngineSetting::concurrency`].
const DEFAULT_CONCURRENCY: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(15);

/// Where a pipeline runs units. It never changes what a build makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSetting {
    /// The URL of the ingress of a server of Restate, if the file names one.
    pub restate: Option<String>,
    /// The URL of the store through which workers get components and inputs, if the file names one.
    pub content: Option<String>,
    /// The maximum number of chunks that run at a time.
    pub concurrency: NonZero<usize>,
}

impl From<EngineEntry> for EngineSetting {
    fn from(entry: EngineEntry) -> Self {
        let concurrency = entry.concurrency.and_then(NonZero::new);
        Self {
            restate: entry.restate,
            content: entry.content,
            concurrency: concurrency.unwrap_or(DEFAULT_CONCURRENCY),
        }
    }
}

/// Checks the form of the URL of a server of Restate. The message does not contain the URL, because it may contain a
/// credential.
pub fn check_engine_url(url: &str) -> Result<(), &'static str> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or("start with `http://` or `https://`")?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("name a host");
    }
    if rest.contains('@') {
        return Err("not contain a credential");
    }
    let is_forbidden =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\');
    if rest.contains(is_forbidden) {
        return Err("consist of a scheme, a host, a port and a path");
    }
    Ok(())
}
