//! The validated pipeline: layers in order, with their settings and edges.
//!
//! [`parse`] turns the text of `synix.toml` into a [`Pipeline`] or into all
//! that is wrong with it. Nothing here touches the disk or the environment:
//! reading the files that the text names is for `synix-sources`, what a
//! transform makes of its config is its own.
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
//! // An error says where it is, and what may have been meant.
//! let errors = synix_manifest::parse("pipeline.nmae = \"notes\"").unwrap_err();
//! assert!(errors.to_string().contains("name"));
//! # Ok::<(), synix_manifest::PipelineErrors>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod config;
mod conform;
mod document;
mod error;
mod glob;
mod graph;
mod image;
mod layers;
mod manifest;
mod nearest;
mod on_done;
mod position;
mod profile;
mod reference;
mod resolve;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub use config::{FileValue, check_config, file_values, replace_values};
pub use error::{NoBatchReason, PipelineError, PipelineErrorKind, PipelineErrors};
pub use glob::{InvalidGlob, SourceGlob};
pub use image::{Image, sha256};
pub use manifest::PriceEntry;
pub use nearest::nearest;
pub use on_done::{DoneCommand, OnDone};
pub use position::Position;
pub use profile::{BatchSupport, ModelRole, ProviderProfile};
pub use reference::TransformRef;
pub use schema::json_schema;

use self::error::Finding;
use self::position::{Positions, below};
use synix_core::ids::{Kind, LayerName};
use synix_core::request::Ending;

/// The model role of a layer without `model`.
pub const DEFAULT_ROLE: &str = "default";

/// A pipeline that holds together.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// What happens when a build ends.
    pub on_done: OnDone,
    /// The providers, those that need no entry included.
    pub providers: BTreeMap<String, ProviderProfile>,
    /// The model roles.
    pub models: BTreeMap<String, ModelRole>,
    /// Prices by model, over those that synix knows.
    pub prices: BTreeMap<String, PriceEntry>,
    /// What a build may cost at most, in US dollars.
    pub budget_usd: Option<f64>,
    /// Units that all layers together may have; `None`: as many as the sources allow.
    pub max_units: Option<u64>,
    /// Requests that the units of all layers together may ask; likewise.
    pub max_requests: Option<u64>,
    /// The layers: each after its inputs, else in the order of the file.
    pub layers: Vec<Layer>,
    positions: Positions,
}

/// A layer: artifacts that are made in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: LayerName,
    /// How its artifacts are made.
    pub body: LayerBody,
}

impl Layer {
    /// Returns the transform's settings, or `None` for a source.
    pub fn transform(&self) -> Option<&TransformLayer> {
        match &self.body {
            LayerBody::Source { .. } => None,
            LayerBody::Transform(transform) => Some(transform),
        }
    }
}

/// How the artifacts of a layer are made.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerBody {
    /// From files.
    Source {
        /// Which files, relative to the pipeline file.
        glob: String,
        /// The kind of its artifacts.
        kind: Kind,
        /// Whether names that begin with a dot may stand in their paths.
        allow_hidden: bool,
    },
    /// By a transform from other layers.
    Transform(Box<TransformLayer>),
}

/// The settings of a layer that is made by a transform.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformLayer {
    /// Which transform.
    pub transform: TransformRef,
    /// The layers it takes in, as positions in [`Pipeline::layers`], in the order written.
    pub inputs: Vec<usize>,
    /// The model role as written.
    pub model: Option<String>,
    /// Whether `batch-build` sends its requests in batches.
    pub batch: BatchChoice,
    /// The fewest requests for which [`BatchChoice::Auto`] makes a batch.
    pub min_batch: u32,
    /// Enters the layer's request keys; empty unless written.
    pub revision: String,
    /// Endings of an answer that are taken although they are not complete.
    pub accept: Vec<Ending>,
    /// Units that it may have; `None`: as many as the sources allow.
    pub max_units: Option<u64>,
    /// Requests that its units may ask; likewise.
    pub max_requests: Option<u64>,
    /// The transform's own settings, unchecked until its schema is known.
    pub config: Map<String, Value>,
    /// Whether the files that its config names may have a name in their path that begins with a dot.
    pub allow_hidden: bool,
    /// What a unit may use up.
    pub limits: LayerLimits,
    /// The capabilities as written.
    pub grants: Option<Vec<Capability>>,
    /// Members of `options` that its plugin may set beside those of sampling.
    pub options_allowed: Vec<String>,
}

/// Whether `batch-build` sends a layer's requests in batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BatchChoice {
    /// Where the provider has the Batch API and there are enough requests.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A power that a layer gives its plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// To ask a model.
    Llm,
}

/// What a unit may use up; `None`: the host's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerLimits {
    /// Instructions, roughly.
    pub fuel: Option<u64>,
    /// Memory in MiB.
    pub memory_mb: Option<u32>,
    /// Seconds of one run.
    pub wall_s: Option<u32>,
    /// Output in MiB.
    pub output_mb: Option<u32>,
    /// Requests.
    pub requests: Option<u32>,
    /// Input and output tokens of the answers together.
    pub tokens: Option<u64>,
}

/// Reads a pipeline file; fails with everything that is wrong with it.
pub fn parse(text: &str) -> Result<Pipeline, PipelineErrors> {
    resolve::pipeline(text)
}

impl Pipeline {
    /// Returns the layer of that name.
    pub fn layer(&self, name: &LayerName) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == *name)
    }

    /// Returns the layers that take in the layer at `position`, directly or through others.
    pub fn dependants(&self, position: usize) -> BTreeSet<usize> {
        let inputs: Vec<Vec<usize>> = self
            .layers
            .iter()
            .map(|layer| {
                layer
                    .transform()
                    .map_or_else(Vec::new, |made| made.inputs.clone())
            })
            .collect();
        graph::dependants(&inputs, position)
    }

    /// Returns the layer's model role; `None` for a source and where it would be a default role that is not written.
    pub fn role(&self, layer: &Layer) -> Option<&ModelRole> {
        let written = layer.transform()?.model.as_deref();
        self.models.get(written.unwrap_or(DEFAULT_ROLE))
    }

    /// Returns whether the model can be asked in batches; `redirected` says that the environment moved its provider.
    pub fn batch_support(&self, role: &ModelRole, redirected: bool) -> BatchSupport {
        profile::batch_support(self.providers.get(&role.provider), role, redirected)
    }

    /// Returns an error for each layer that says `batch = true` where there is no Batch API.
    ///
    /// `redirected` says of a provider that the environment moved it; what the
    /// text alone says is already checked by [`parse`].
    pub fn check_batch(&self, redirected: impl Fn(&ProviderProfile) -> bool) -> Vec<PipelineError> {
        let insisting = |layer: &&Layer| {
            layer
                .transform()
                .is_some_and(|made| made.batch == BatchChoice::Always)
        };
        let findings = self.layers.iter().filter(insisting).filter_map(|layer| {
            let role = self.role(layer)?;
            let moved = redirected(self.providers.get(&role.provider)?);
            let why = self.batch_support(role, moved).reason(role)?;
            let hint = match &why {
                NoBatchReason::NotDeclared(provider) => Some(format!(
                    "write `batch = true` in [providers.{provider}] if it has"
                )),
                NoBatchReason::Model(_) | NoBatchReason::Provider(_) => None,
            };
            let kind = PipelineErrorKind::NoBatch {
                layer: layer.name.to_string(),
                why,
            };
            Some(Finding::at_value(below(&pointer(&layer.name), "batch"), kind).hint(hint))
        });
        findings.map(|found| found.place(&self.positions)).collect()
    }

    /// Returns the error of a layer whose plugin asks a model and may not: nothing grants it, or there is no role.
    pub fn llm_error(&self, layer: &Layer) -> Option<PipelineError> {
        let grants = layer.transform().and_then(|made| made.grants.as_ref());
        if grants.is_some_and(|grants| !grants.contains(&Capability::Llm)) {
            let kind = PipelineErrorKind::NotGranted {
                layer: layer.name.to_string(),
                capability: "llm",
            };
            let hint = "write `grants = [\"llm\"]` if it may, or take another plugin";
            let found = Finding::at_value(below(&pointer(&layer.name), "grants"), kind)
                .hint(Some(hint.to_owned()));
            return Some(found.place(&self.positions));
        }
        self.role(layer)
            .is_none()
            .then(|| self.no_role_error(layer))
    }

    fn no_role_error(&self, layer: &Layer) -> PipelineError {
        let kind = PipelineErrorKind::MissingRole {
            layer: layer.name.to_string(),
            role: DEFAULT_ROLE.to_owned(),
        };
        let hint = format!("write [models.{DEFAULT_ROLE}] or name a role: `model = \"…\"`");
        Finding::at_value(below(&pointer(&layer.name), "transform"), kind)
            .hint(Some(hint))
            .place(&self.positions)
    }

    /// Returns the error that a layer's first-party transform is none of `known`.
    pub fn unknown_transform_error<'a>(
        &self,
        layer: &Layer,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> PipelineError {
        let name = layer.transform().map_or("", |made| made.transform.text());
        let hint = nearest::did_you_mean(name, known.clone()).unwrap_or_else(|| {
            let known: Vec<&str> = known.into_iter().collect();
            format!(
                "there are {}; a component is named by its path: `./{name}.wasm`",
                known.join(", ")
            )
        });
        let kind = PipelineErrorKind::UnknownTransform(name.to_owned());
        Finding::at_value(below(&pointer(&layer.name), "transform"), kind)
            .hint(Some(hint))
            .place(&self.positions)
    }
}

/// Returns the pointer to a layer's table.
fn pointer(layer: &LayerName) -> String {
    below("/layers", layer.as_str())
}
