//! The types of `synix.toml`, as users write it.
//!
//! The published JSON Schema is generated from these types and validates each file, so editors show the doc comments here
//! to users. [`super::resolve`] checks which values fit together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::outputs::OutputEntry;
use super::{BatchChoice, Capability};
use synix_core::request::BatchApi;
use synix_core::request::{Ending, Wire};

/// A synix pipeline.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "synix.toml")]
pub(super) struct Manifest {
    /// The pipeline as a whole.
    pub(super) pipeline: PipelineEntry,
    /// Providers by name; `openai` and `anthropic` need no entry.
    #[serde(default)]
    pub(super) providers: BTreeMap<String, ProviderEntry>,
    /// Model roles by name; a layer without `model` uses the role `default`.
    #[serde(default)]
    pub(super) models: BTreeMap<String, ModelEntry>,
    /// Prices by model. They override the prices that synix knows.
    #[serde(default)]
    pub(super) prices: BTreeMap<String, PriceEntry>,
    /// Layers by name.
    #[serde(default)]
    pub(super) layers: BTreeMap<String, LayerEntry>,
    /// Outputs by name: what `synix release` writes.
    #[serde(default)]
    pub(super) outputs: BTreeMap<String, OutputEntry>,
    /// Answers that several machines share.
    #[serde(default)]
    pub(super) shared: SharedEntry,
    /// The machines that run the units of transforms; without it, this one does.
    #[serde(default)]
    pub(super) engine: EngineEntry,
}

/// The machines that run the units of transforms.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EngineEntry {
    /// The URL of the ingress of a server of Restate, such as `http://restate.internal:8080`. `--engine` and `SYNIX_ENGINE` take precedence over it.
    pub(super) restate: Option<String>,
    /// The URL of the store through which workers get components and inputs; by default that of `[shared]`. `SYNIX_ENGINE_CONTENT` takes precedence over it.
    pub(super) content: Option<String>,
    /// The maximum number of chunks of units that run at a time; 16 by default.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) concurrency: Option<usize>,
}

/// Answers that several machines share.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SharedEntry {
    /// The URL of the store: `s3://BUCKET/PATH`, `gs://BUCKET/PATH`, `az://CONTAINER/PATH` or `file:///FOLDER`. `SYNIX_SHARED_URL` takes precedence over it.
    pub(super) url: Option<String>,
    /// Whether answers are only read. `SYNIX_SHARED_READ_ONLY=1` has the same effect.
    #[serde(default)]
    pub(super) read_only: bool,
    /// How long in seconds a request stays claimed after its holder has died; 60 by default.
    #[schemars(range(min = 1, max = 3600))]
    pub(super) lease: Option<u64>,
}

/// The pipeline as a whole.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PipelineEntry {
    /// The pipeline's name.
    pub(super) name: String,
    /// The maximum cost of a build in US dollars.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub(super) budget_usd: Option<f64>,
    /// The maximum number of units in all layers together, and in each layer that does not set its own; by default it depends on the sources.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) max_units: Option<u64>,
    /// The maximum number of requests in all layers together, and in each layer that does not set its own; by default it depends on the sources.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) max_requests: Option<u64>,
    /// The command that runs when a build ends: a shell command line, or a program and its arguments. It receives the status as JSON on stdin.
    pub(super) on_done: Option<CommandEntry>,
    /// The URL that receives the status as JSON when a build ends.
    pub(super) on_done_url: Option<String>,
    /// Whether `on_done` and `on_done_url` also apply to replays.
    #[serde(default)]
    pub(super) on_done_in_replay: bool,
}

/// A command: a shell command line, or a program and its arguments.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum CommandEntry {
    Shell(String),
    Program(Vec<String>),
}

impl JsonSchema for CommandEntry {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array"],
            "items": { "type": "string" },
            "minLength": 1,
            "minItems": 1,
        })
    }
}

/// The settings of a provider.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderEntry {
    /// The wire format; required unless the provider is `openai` or `anthropic`.
    pub(super) api: Option<Wire>,
    /// The URL of the API: with `/v1` for `openai`, without for `anthropic`.
    pub(super) base_url: Option<String>,
    /// The environment variable with the API key.
    pub(super) api_key_env: Option<String>,
    /// Whether the provider has the Batch API; by default only at its default URL.
    pub(super) batch: Option<bool>,
    /// The kind of Batch API of a server with OpenAI's wire format; `openai` by default.
    pub(super) batch_api: Option<BatchApi>,
    /// The maximum number of retries of a failed call.
    #[schemars(range(max = 1000))]
    pub(super) retries: Option<u32>,
    /// The delay before the first retry in seconds. It doubles for each further retry.
    #[schemars(range(min = 0, max = 86400))]
    pub(super) backoff: Option<f64>,
    /// The timeout of a call in seconds.
    #[schemars(range(min = 0.001, max = 86400))]
    pub(super) timeout: Option<f64>,
    /// The delays in seconds between searches for a batch whose creation is unclear.
    #[schemars(length(max = 100), inner(range(min = 0, max = 86400)))]
    pub(super) look_again: Option<Vec<f64>>,
    /// The maximum number of requests in a batch; by default, and at most, the maximum of the provider.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) batch_requests: Option<u32>,
    /// The maximum number of input tokens in all open batches; by default synix learns it when the provider rejects a batch.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) enqueued_tokens: Option<u64>,
}

/// A model and its settings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelEntry {
    /// The provider's name.
    pub(super) provider: String,
    /// The model's name at the provider.
    #[schemars(length(min = 1))]
    pub(super) model: String,
    /// The maximum length of an answer in tokens.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) max_tokens: Option<u32>,
    /// The sampling temperature, 0 to 2.
    #[schemars(range(min = 0, max = 2))]
    pub(super) temperature: Option<f64>,
    /// The number of dimensions of embeddings; by default that of the model.
    #[schemars(range(min = 1, max = 65_536_u32))]
    pub(super) dimensions: Option<u32>,
    /// The maximum number of input tokens of a request; it takes precedence over the number that synix knows. A longer text for an embedding is cut.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) context_window: Option<u64>,
    /// Whether this model supports batches; by default like its provider.
    pub(super) batch: Option<bool>,
}

/// The prices of a model in US dollars per million tokens.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceEntry {
    /// Input without cache reads and cache writes.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub input: Option<f64>,
    /// Input read from the provider's cache.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub cached_input: Option<f64>,
    /// Input written to the provider's cache.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub cache_write: Option<f64>,
    /// Output, including reasoning.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub output: Option<f64>,
    /// The factor that applies to all prices in a batch.
    #[schemars(range(min = 0, max = 10))]
    pub batch: Option<f64>,
}

/// A layer: a source or a transform.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerEntry {
    /// The glob of the source files, relative to this file, or a list of globs. It makes the layer a source.
    pub(super) source: Option<GlobsEntry>,
    /// The reader of the source files: `text` (the default), `rows`, `chats`, `mail`, `documents`, or a component as in `transform`.
    pub(super) read: Option<String>,
    /// What happens if a reader makes two artifacts with the same label; `error` by default.
    pub(super) on_duplicate: Option<OnDuplicate>,
    /// The kind of the artifacts of texts; `source` by default.
    pub(super) kind: Option<String>,
    /// Whether synix reads files with a hidden name in their path: one that begins with a dot, such as `.git` or `.env`.
    pub(super) allow_hidden: Option<bool>,
    /// The name of a first-party transform such as `map`, or a component: a path such as `./plugins/mine.wasm`, `https://…#sha256=…` or `oci://registry/name:tag`.
    pub(super) transform: Option<String>,
    /// The layers whose artifacts are the inputs.
    #[schemars(length(min = 1))]
    pub(super) inputs: Option<Vec<String>>,
    /// The model role; by default `embedding` for the transform `embed`, and `default` for all others.
    pub(super) model: Option<String>,
    /// Whether `batch-build` sends the requests of this layer in batches.
    pub(super) batch: Option<BatchChoice>,
    /// The minimum number of requests for which `batch = "auto"` creates a batch; 2 by default.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) min_batch: Option<u32>,
    /// A text that is part of the layer's request keys. A new text makes synix send all requests again.
    pub(super) revision: Option<String>,
    /// Incomplete answers that the layer accepts.
    pub(super) accept: Option<Vec<Accepted>>,
    /// How often synix asks again, with the errors, if an answer does not match its `response_format`; 1 by default, and 0 never.
    #[schemars(range(max = 5))]
    pub(super) repair: Option<u32>,
    /// The maximum number of units; by default 1000, plus 1000 for each upstream source artifact, plus one for each 64 bytes of these.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) max_units: Option<u64>,
    /// The maximum number of requests, including answered ones; the default is that of `max_units`.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) max_requests: Option<u64>,
    /// The settings of the transform or the reader itself.
    pub(super) config: Option<Map<String, Value>>,
    /// The limits of a unit.
    pub(super) limits: Option<LimitsEntry>,
    /// The capabilities that the layer grants to its plugin; by default those that the plugin declares, if there is a model role, and `embed` for the transform `embed`.
    pub(super) grants: Option<Vec<Capability>>,
    /// The members of `options` that the plugin may set in addition to sampling options.
    pub(super) options_allowed: Option<Vec<String>>,
}

/// A glob, or several.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum GlobsEntry {
    One(String),
    Several(Vec<String>),
}

impl GlobsEntry {
    pub(super) fn into_list(self) -> Vec<String> {
        match self {
            Self::One(glob) => vec![glob],
            Self::Several(globs) => globs,
        }
    }
}

impl JsonSchema for GlobsEntry {
    fn schema_name() -> Cow<'static, str> {
        "Globs".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array"],
            "items": { "type": "string" },
            "minItems": 1,
        })
    }
}

/// What happens if a reader makes two artifacts with the same label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDuplicate {
    /// It is an error that names both places.
    #[default]
    Error,
    /// The artifact with the greatest metadata `updated` is used; among equals, the longest.
    Newest,
}

/// An incomplete answer that the layer accepts.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Accepted {
    /// The answer reached its token limit.
    Truncated,
}

impl From<Accepted> for Ending {
    fn from(accepted: Accepted) -> Self {
        match accepted {
            Accepted::Truncated => Self::Truncated,
        }
    }
}

/// The limits of a unit.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsEntry {
    /// The approximate number of instructions.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) fuel: Option<u64>,
    /// The memory in MiB.
    #[schemars(range(min = 1, max = 4096))]
    pub(super) memory_mb: Option<u32>,
    /// The time of a run in seconds.
    #[schemars(range(min = 1, max = 86400))]
    pub(super) wall_s: Option<u32>,
    /// The size of all outputs in MiB.
    #[schemars(range(min = 1, max = 4096))]
    pub(super) output_mb: Option<u32>,
    /// The number of requests.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) requests: Option<u32>,
    /// The number of input and output tokens; by default there is no limit.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) tokens: Option<u64>,
}

impl<'de> Deserialize<'de> for BatchChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match (value.as_bool(), value.as_str()) {
            (Some(true), _) => Ok(Self::Always),
            (Some(false), _) => Ok(Self::Never),
            (None, Some("auto")) => Ok(Self::Auto),
            (None, _) => Err(D::Error::custom("must be \"auto\", true or false")),
        }
    }
}

impl JsonSchema for BatchChoice {
    fn schema_name() -> Cow<'static, str> {
        "BatchChoice".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["auto", true, false] })
    }
}
