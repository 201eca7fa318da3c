//! Stands in for `open` in a synix that is built without engines.

use std::sync::Arc;

use super::EngineSettings;
use crate::ProjectError;
use crate::environment::Environment;
use synix_units::UnitEngine;

/// Refuses every engine: this machine may be too small for what the user expects of others.
pub(super) fn open(
    settings: &EngineSettings,
    _: &Environment,
) -> Result<Arc<dyn UnitEngine>, ProjectError> {
    Err(ProjectError::Engine {
        url: settings.url.clone(),
        source: "this synix was built without the feature `restate`; pass --engine local to run units on this machine".into(),
    })
}
