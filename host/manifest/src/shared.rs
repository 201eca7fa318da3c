//! The settings of shared answers. `synix-project` opens their store.

use std::time::Duration;

use super::manifest::SharedEntry;

/// The default of [`SharedSetting::lease`].
const DEFAULT_LEASE: Duration = Duration::from_secs(60);

/// The URL schemes of stores.
const SCHEMES: [&str; 4] = ["s3://", "gs://", "az://", "file:///"];

/// How a pipeline shares answers with other machines. They never change what a build makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedSetting {
    /// The URL of the store, if the file names one.
    pub url: Option<String>,
    /// Whether answers are only read.
    pub read_only: bool,
    /// How long a request stays claimed after its holder has died.
    pub lease: Duration,
}

impl From<SharedEntry> for SharedSetting {
    fn from(entry: SharedEntry) -> Self {
        Self {
            url: entry.url,
            read_only: entry.read_only,
            lease: entry.lease.map_or(DEFAULT_LEASE, Duration::from_secs),
        }
    }
}

/// Checks the form of the URL of a store. The message does not contain the URL, because it may contain a credential.
pub fn check_shared_url(url: &str) -> Result<(), &'static str> {
    let path = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
    let path = path.ok_or("start with `s3://`, `gs://`, `az://` or `file:///`")?;
    if path.split('/').next().unwrap_or_default().is_empty() {
        return Err("name a bucket or a folder");
    }
    if url.contains('@') {
        return Err("not contain a credential; set it in the environment");
    }
    let is_forbidden =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\');
    if url.contains(is_forbidden) {
        return Err("consist of a scheme, a bucket and a path");
    }
    Ok(())
}
