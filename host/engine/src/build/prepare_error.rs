//! Why a pipeline could not be prepared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::layers::{ReadyBody, ReadyLayer, ReadyPipeline, ReadyTransform, RoleSettings, Roles};
use super::requests_per_unit::RequestsPerUnit;
use crate::pending::Target;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::fingerprint::{
    BatchSetting, FilePart, LayerParts, LayerSettings, PipelineParts, RequestParts,
    TransformSettings,
};
use synix_core::json;
use synix_core::request::Ending;
use synix_manifest::{
    BatchChoice, BatchSupport, DEFAULT_ROLE, Layer, LayerBody, LayerLimits, Pipeline,
    PipelineError, PipelineErrors, TransformLayer, TransformRef, check_config, file_values,
    replace_values,
};
use synix_sandbox::{Limits, Plugin, PluginError, Sandbox};
use synix_sources::{HiddenFiles, ProjectFolder, SourceError, SourceProblems};

/// The maximum size of all files that a config names.

/// Why a pipeline could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The pipeline file is invalid.
    #[error("the pipeline file is wrong")]
    Pipeline(PipelineErrors),
    /// A component could not be read.
    #[error("layer `{layer}`: cannot read a file it names")]
    File {
        /// The layer.
        layer: String,
        /// The error.
        source: Box<SourceError>,
    },
    /// Files that configs name could not be read.
    #[error("{0}")]
    Files(SourceProblems),
    /// A component could not be loaded.
    #[error("layer `{layer}`: cannot use its plugin")]
    Plugin {
        /// The layer.
        layer: String,
        /// The error.
        source: Box<PluginError>,
    },
}

impl PrepareError {
    /// Returns the error with its causes in one line.
    pub fn chain(&self) -> String {
        with_causes(self)
    }
}
