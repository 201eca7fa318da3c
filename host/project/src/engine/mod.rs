//! Where the units of a project run: on this machine, or on others through an engine.
//!
//! The user chooses an engine with an option or a variable. If the pipeline file names one, the user must permit it: its
//! workers get the project's contents, and its store is used with the user's credentials.

mod choice;
#[cfg_attr(not(feature = "restate"), path = "no_engine.rs")]
mod open;

use std::num::NonZero;
use std::sync::Arc;

use super::context::{Options, ProjectContext};
use super::trust::Permission;
use super::{Project, ProjectError};
use synix_manifest::{Pipeline, check_shared_url};
use synix_units::UnitEngine;

pub use choice::EngineChoice;
#[cfg(feature = "restate")]
pub(super) use open::open_contents;

/// The variable with the URL of the store of contents.
pub(super) const CONTENT_VARIABLE: &str = "SYNIX_ENGINE_CONTENT";

/// The engine that a project uses.
#[cfg_attr(
    not(feature = "restate"),
    allow(dead_code, reason = "only `open` uses all of it")
)]
pub(super) struct EngineSettings {
    /// The URL of the ingress of the server.
    url: String,
    /// The URL of the store of contents.
    content: String,
    concurrency: NonZero<usize>,
    /// Whether the pipeline file names one of the two, so that the user must permit it.
    is_from_file: bool,
}

impl ProjectContext {
    /// Returns the engine; `None`: units run on this machine.
    pub(super) fn engine_settings(
        &self,
        pipeline: &Pipeline,
    ) -> Result<Option<EngineSettings>, ProjectError> {
        let setting = &pipeline.engine;
        let (url, names_engine) = match (&self.engine, &setting.restate) {
            (Some(EngineChoice::Local), _) | (None, None) => return Ok(None),
            (Some(EngineChoice::Restate(url)), _) => (url.clone(), false),
            (None, Some(url)) => (url.clone(), true),
        };
        let set = self.environment.engine_content().map(|url| (url, false));
        let named = || setting.content.clone().map(|url| (url, true));
        let content = set.or_else(named).or_else(|| self.shared_url(pipeline));
        let Some((content, names_content)) = content else {
            return Err(ProjectError::Usage(format!(
                "an engine needs a store of contents; set `content` in [engine], or {CONTENT_VARIABLE}"
            )));
        };
        if let Err(rule) = check_shared_url(&content) {
            return Err(ProjectError::Usage(format!(
                "{CONTENT_VARIABLE} must {rule}"
            )));
        }
        Ok(Some(EngineSettings {
            url,
            content,
            concurrency: setting.concurrency,
            is_from_file: names_engine || names_content,
        }))
    }

    /// Returns the permission that the engine needs if the pipeline file names it or its store.
    pub(super) fn engine_permission(
        &self,
        pipeline: &Pipeline,
    ) -> Result<Option<Permission>, ProjectError> {
        let settings = self.engine_settings(pipeline)?;
        let settings = settings.filter(|settings| settings.is_from_file);
        Ok(settings.map(|settings| Permission::Engine {
            url: settings.url,
            content: settings.content,
        }))
    }
}

/// Returns the URL of the server that a project uses, for a command that hands builds to it. `None`: there is none.
///
/// An option or a variable names it, or the pipeline file does, with the permission of the user.
pub fn engine_url(options: &Options) -> Result<Option<String>, ProjectError> {
    match EngineChoice::of(options)? {
        Some(EngineChoice::Restate(url)) => return Ok(Some(url)),
        Some(EngineChoice::Local) => return Ok(None),
        None => {}
    }
    let context = ProjectContext::find(options)?;
    let pipeline = context.pipeline()?;
    context.require(context.engine_permission(&pipeline)?.into_iter().collect())?;
    Ok(pipeline.engine.restate)
}

impl Project {
    /// Opens the engine of a build. A replay contacts nobody that only the pipeline file names.
    pub(super) fn unit_engine(
        &self,
        is_replay: bool,
    ) -> Result<Option<Arc<dyn UnitEngine>>, ProjectError> {
        let Some(settings) = self.context.engine_settings(&self.pipeline)? else {
            return Ok(None);
        };
        if is_replay && settings.is_from_file {
            return Ok(None);
        }
        if !is_replay {
            self.require_permissions()?;
        }
        open::open(&settings, &self.context.environment).map(Some)
    }
}
