//! Stands in for `open` in a synix that is built without object stores.

use std::sync::Arc;

use crate::ProjectError;
use crate::environment::Environment;
use synix_shared::Objects;

/// A store, which there is none of.
pub(super) struct OpenedStore {
    pub(super) objects: Arc<dyn Objects>,
    pub(super) name: String,
    pub(super) namespace: String,
}

/// Refuses every store: without its claims, requests could be paid for twice.
pub(super) fn open(url: &str, _: &Environment) -> Result<OpenedStore, ProjectError> {
    Err(ProjectError::Shared {
        url: url.to_owned(),
        source: "this synix was built without the feature `shared`".into(),
    })
}
