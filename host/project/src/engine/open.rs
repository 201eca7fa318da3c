//! Opens the engine of Restate, and what a build and its workers exchange beside chunks.

use std::sync::Arc;

use super::EngineSettings;
use crate::ProjectError;
use crate::environment::Environment;
use crate::shared::open_store;
use synix_restate::RestateEngine;
use synix_units::{Contents, UnitEngine};

/// Opens an engine, which contacts nobody.
pub(super) fn open(
    settings: &EngineSettings,
    environment: &Environment,
) -> Result<Arc<dyn UnitEngine>, ProjectError> {
    let (contents, content_url) = open_contents(&settings.content, environment)?;
    let failed = |source| ProjectError::Engine {
        url: settings.url.clone(),
        source,
    };
    let engine = RestateEngine::new(synix_restate::EngineSettings {
        url: settings
            .url
            .parse()
            .map_err(|e: url::ParseError| failed(e.into()))?,
        concurrency: settings.concurrency,
        contents,
        content_url,
    });
    Ok(Arc::new(engine.map_err(|error| failed(error.into()))?))
}

/// Opens a store of contents, which contacts nobody. Also returns its URL for messages.
pub(in super::super) fn open_contents(
    url: &str,
    environment: &Environment,
) -> Result<(Contents, String), ProjectError> {
    let store = open_store(url, environment).map_err(|error| {
        if let ProjectError::Shared { url, source } = error {
            ProjectError::Contents { url, source }
        } else {
            error
        }
    })?;
    Ok((Contents::new(store.objects, &store.namespace), store.name))
}
