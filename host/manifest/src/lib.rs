//! Parses and validates `synix.toml`.
//!
//! [`parse`] turns the text of `synix.toml` into a [`Pipeline`], or reports all errors in it. This crate accesses neither
//! the disk nor the environment: `synix-sources` reads the files that the text names.
//!
//! ```
//! let pipeline = synix_manifest::parse(
//!     r#"
//!     pipeline.name = "notes"
//!     layers.notes.source = "notes/*.md"
//!
//!     [models.default]
//!     provider = "openai"
//!     model = "gpt-4o-mini"
//!
//!     [layers.findings]
//!     transform = "map"
//!     inputs = ["notes"]
//!     config.prompt = "What follows from this? {{ content }}"
//!     "#,
//! )?;
//! let names: Vec<&str> = pipeline.layers.iter().map(|layer| layer.name.as_str()).collect();
//! assert_eq!(names, ["notes", "findings"]);
//!
//! // An error has a location and suggests a correction.
//! let errors = synix_manifest::parse("pipeline.nmae = \"notes\"").unwrap_err();
//! assert!(errors.to_string().contains("did you mean `name`?"));
//! # Ok::<(), synix_manifest::PipelineErrors>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod config;
mod document;
mod edit;
mod engine;
mod error;
mod error_kind;
mod file_values;
mod glob;
mod graph;
mod image_reference;
mod layers;
mod manifest;
mod nearest;
mod on_done;
mod output_format;
mod outputs;
mod overrides;
mod pipeline;
mod position;
mod profile;
mod providers;
mod reference;
mod resolve;
mod schema;
mod schema_errors;
mod setting;
mod shared;
mod source_layers;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub use config::check_config;
pub use edit::{EditError, edit};
pub use engine::{EngineSetting, check_engine_url};
pub use error::{PipelineError, PipelineErrors};
pub use error_kind::{NoBatchReason, PipelineErrorKind};
pub use file_values::{FileValue, file_values, replace_values};
pub use glob::{InvalidGlob, SourceGlob};
pub use image_reference::{ImageReference, parse_sha256};
pub use manifest::{OnDuplicate, PriceEntry};
pub use nearest::nearest;
pub use on_done::{DoneCommand, OnDone};
pub use output_format::{OutputFormat, UnknownFormat};
pub use outputs::{Output, OutputSettings, RECEIPT};
pub use overrides::{LayerPrompt, Overrides, PromptFile, ResolvedOverrides, current_values};
pub use position::Position;
pub use profile::{BatchSupport, ModelRole, ProviderProfile};
pub use reference::PluginRef;
pub use schema::json_schema;
pub use setting::{InvalidSetting, Setting};
pub use shared::{SharedSetting, check_shared_url};

use self::position::Positions;
use synix_core::ids::{Kind, LayerName};
use synix_core::request::Ending;

/// The model role of a layer without `model`.
pub const DEFAULT_ROLE: &str = "default";

/// A validated pipeline.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// The name.
    pub name: String,
    /// What to do when a build ends.
    pub on_done: OnDone,
    /// The providers, including those that need no entry.
    pub providers: BTreeMap<String, ProviderProfile>,
    /// The model roles.
    pub models: BTreeMap<String, ModelRole>,
    /// Prices by model, which override those of synix.
    pub prices: BTreeMap<String, PriceEntry>,
    /// The maximum cost of a build in US dollars.
    pub budget_usd: Option<f64>,
    /// The maximum number of units in all layers; `None` means a limit that depends on the sources.
    pub max_units: Option<u64>,
    /// The maximum number of requests in all layers; `None` means a limit that depends on the sources.
    pub max_requests: Option<u64>,
    /// The layers, each after its inputs, and otherwise in the order of the file.
    pub layers: Vec<Layer>,
    /// What a release writes, in the order of the file.
    pub outputs: Vec<Output>,
    /// The answers that several machines share.
    pub shared: SharedSetting,
    /// The machines that run units.
    pub engine: EngineSetting,
    /// The prompt files of layers whose text is another one for this run.
    pub prompt_files: BTreeMap<String, PromptFile>,
    positions: Positions,
}

/// A layer: artifacts that are made in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The name.
    pub name: LayerName,
    /// How its artifacts are made.
    pub body: LayerBody,
}

impl Layer {
    /// Returns the settings of the transform, or `None` for a source.
    pub fn transform(&self) -> Option<&TransformLayer> {
        match &self.body {
            LayerBody::Source(_) => None,
            LayerBody::Transform(transform) => Some(transform),
        }
    }

    /// Returns the reader of a source, or `None` if it reads texts or is a transform.
    pub fn reader(&self) -> Option<&ReaderLayer> {
        match &self.body {
            LayerBody::Source(source) => match &source.read {
                Read::Texts(_) => None,
                Read::Plugin(reader) => Some(reader),
            },
            LayerBody::Transform(_) => None,
        }
    }

    /// Returns the reference to the plugin of a transform or a reader.
    pub fn plugin(&self) -> Option<&PluginRef> {
        let transform = self.transform().map(|transform| &transform.transform);
        transform.or_else(|| self.reader().map(|reader| &reader.plugin))
    }

    /// Returns the config of a transform or a reader.
    pub fn config(&self) -> Option<&Map<String, Value>> {
        let transform = self.transform().map(|transform| &transform.config);
        transform.or_else(|| self.reader().map(|reader| &reader.config))
    }

    /// Returns whether it may read hidden files.
    pub fn allow_hidden(&self) -> bool {
        match &self.body {
            LayerBody::Source(source) => source.allow_hidden,
            LayerBody::Transform(transform) => transform.allow_hidden,
        }
    }

    /// Returns the key that names the plugin.
    pub(crate) fn plugin_key(&self) -> &'static str {
        match &self.body {
            LayerBody::Source(_) => "read",
            LayerBody::Transform(_) => "transform",
        }
    }
}

/// How the artifacts of a layer are made.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerBody {
    /// From files.
    Source(Box<SourceLayer>),
    /// By a transform, from other layers.
    Transform(Box<TransformLayer>),
}

/// The settings of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceLayer {
    /// The globs of the files, relative to the pipeline file.
    pub globs: Vec<String>,
    /// What reads the files.
    pub read: Read,
    /// Whether their paths may contain hidden names.
    pub allow_hidden: bool,
}

/// What reads the files of a source.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// Each file is a text, and an artifact of this kind.
    Texts(Kind),
    /// A plugin makes artifacts of each file.
    Plugin(ReaderLayer),
}

/// The settings of a source with a reader.
#[derive(Debug, Clone, PartialEq)]
pub struct ReaderLayer {
    /// The reader.
    pub plugin: PluginRef,
    /// Its config.
    pub config: Map<String, Value>,
    /// The limits of each file, before they grow with its size.
    pub limits: LayerLimits,
    /// What happens to a second artifact with the same label.
    pub on_duplicate: OnDuplicate,
}

/// The settings of a layer with a transform.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformLayer {
    /// The reference to the transform.
    pub transform: PluginRef,
    /// The input layers, as positions in [`Pipeline::layers`], in the order of the file.
    pub inputs: Vec<usize>,
    /// The model role, if the file names one.
    pub model: Option<String>,
    /// Whether `batch-build` sends its requests in batches.
    pub batch: BatchChoice,
    /// The minimum number of requests for which [`BatchChoice::Auto`] creates a batch.
    pub min_batch: u32,
    /// A text that is part of the layer's request keys, or an empty text.
    pub revision: String,
    /// The endings of incomplete answers that the layer accepts.
    pub accept: Vec<Ending>,
    /// How often a request is repeated if its answer does not match its `response_format`.
    pub repair: u32,
    /// The maximum number of units; `None` means a limit that depends on the sources.
    pub max_units: Option<u64>,
    /// The maximum number of requests; `None` means a limit that depends on the sources.
    pub max_requests: Option<u64>,
    /// The settings of the transform itself. They are not validated yet, because its schema is unknown.
    pub config: Map<String, Value>,
    /// Whether the paths of files in the config may contain hidden names.
    pub allow_hidden: bool,
    /// The limits of a unit.
    pub limits: LayerLimits,
    /// The granted capabilities, if the file lists them.
    pub grants: Option<Vec<Capability>>,
    /// The members of `options` that the plugin may set in addition to sampling options.
    pub options_allowed: Vec<String>,
}

/// Whether `batch-build` sends a layer's requests in batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BatchChoice {
    /// If the provider has the Batch API and there are enough requests.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A capability that a layer can grant to its plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// To send requests to models.
    Llm,
    /// To request embeddings.
    Embed,
}

impl Capability {
    /// Returns the name in the pipeline file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Embed => "embed",
        }
    }
}

/// The limits of a unit; `None` means the default of synix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerLimits {
    /// The approximate number of instructions.
    pub fuel: Option<u64>,
    /// The memory in MiB.
    pub memory_mb: Option<u32>,
    /// The time of a run in seconds.
    pub wall_s: Option<u32>,
    /// The size of all outputs in MiB.
    pub output_mb: Option<u32>,
    /// The number of requests.
    pub requests: Option<u32>,
    /// The number of input and output tokens.
    pub tokens: Option<u64>,
}

/// Parses a pipeline file. On failure, returns all errors in it.
pub fn parse(text: &str) -> Result<Pipeline, PipelineErrors> {
    resolve::parse(text, &Overrides::default())
}

/// Parses a pipeline file as it is with these changes. They are validated like the file.
pub fn parse_with(text: &str, changes: &Overrides) -> Result<Pipeline, PipelineErrors> {
    resolve::parse(text, changes)
}
