//! Opens the store of shared answers.

use std::sync::Arc;

use super::unavailable::UnavailableObjects;
use crate::ProjectError;
use crate::environment::Environment;
use synix_objects::OpenedStore;

/// Opens a store, which contacts nobody. A folder that does not exist is a store that is unavailable.
pub(in super::super) fn open(
    url: &str,
    environment: &Environment,
) -> Result<OpenedStore, ProjectError> {
    match synix_objects::open(url, &|name| environment.get(name)) {
        Ok(store) => Ok(store),
        Err(error) if url.starts_with("file://") => Ok(OpenedStore {
            objects: Arc::new(UnavailableObjects::new(&error)),
            name: url.trim_end_matches('/').to_owned(),
            namespace: synix_shared::DEFAULT_NAMESPACE.to_owned(),
        }),
        Err(error) => Err(ProjectError::Shared {
            url: url.to_owned(),
            source: Box::new(error),
        }),
    }
}
