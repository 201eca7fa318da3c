//! Why a pipeline could not be prepared.

use synix_core::causes::with_causes;
use synix_manifest::PipelineErrors;
use synix_sandbox::PluginError;
use synix_sources::{SourceError, SourceProblems};

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
