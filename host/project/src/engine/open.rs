//! Opens the engine of Restate.

use std::sync::Arc;

use super::EngineSettings;
use crate::ProjectError;
use crate::environment::Environment;
use crate::worker::open_contents;
use synix_restate::RestateEngine;
use synix_units::UnitEngine;

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
