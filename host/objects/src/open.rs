//! Opens a store from its URL.

use std::sync::Arc;

use synix_shared::Objects;

/// A store, and what its URL says.
#[derive(Debug)]
pub struct OpenedStore {
    /// The store.
    pub objects: Arc<dyn Objects>,
    /// The URL without credentials and query, for messages.
    pub name: String,
    /// The namespace: the path in a bucket, or `default`. The path of `file:///` is the folder, whose namespace is
    /// always `default`.
    pub namespace: String,
}

/// The URL or the credentials of a store are invalid. Contains no credential.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidStore {
    reason: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Opens a store. Contacts nobody; only a folder of `file:///` must exist.
///
/// `variable` returns the value of an environment variable. It is asked for those of the store's kind: `AWS_…` for
/// `s3://`, `GOOGLE_…` for `gs://`, `AZURE_…` for `az://`.
pub fn open(
    url: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<OpenedStore, InvalidStore> {
    let _ = variable;
    Err(InvalidStore {
        reason: format!("{url:?} is no URL of an object store"),
        source: None,
    })
}
