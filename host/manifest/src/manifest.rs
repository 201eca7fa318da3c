//! The format of `synix.toml`: its types as they are written.
//!
//! The published JSON Schema is made from these types and is what a file is
//! checked against, so the doc lines here are what an editor shows. What the
//! values mean and which of them fit together is for [`super::resolve`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

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
    /// Prices by model, over those that synix knows.
    #[serde(default)]
    pub(super) prices: BTreeMap<String, PriceEntry>,
    /// Layers by name.
    #[serde(default)]
    pub(super) layers: BTreeMap<String, LayerEntry>,
}

/// The pipeline as a whole.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PipelineEntry {
    /// The pipeline's name.
    pub(super) name: String,
    /// What a build may cost at most, in US dollars.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub(super) budget_usd: Option<f64>,
    /// Units that all layers together may have, and each layer without a number of its own; by default bound by the sources.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) max_units: Option<u64>,
    /// Requests that the units of all layers together may ask, and those of each layer without a number of its own; likewise.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) max_requests: Option<u64>,
    /// What runs when a build ends: a line for the shell, or a program and its arguments. It gets the status as JSON on stdin.
    pub(super) on_done: Option<CommandEntry>,
    /// Where the status is sent to as JSON when a build ends.
    pub(super) on_done_url: Option<String>,
    /// Whether both happen after a replay, too.
    #[serde(default)]
    pub(super) on_done_in_replay: bool,
}

/// A command: a line for the shell, or a program and its arguments.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum CommandEntry {
    Shell(String),
    Words(Vec<String>),
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

/// How a provider is reached.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderEntry {
    /// Wire format; needed unless the provider is `openai` or `anthropic`.
    pub(super) api: Option<Wire>,
    /// Where the API is: with `/v1` for `openai`, without for `anthropic`.
    pub(super) base_url: Option<String>,
    /// The environment variable that holds the key.
    pub(super) api_key_env: Option<String>,
    /// Whether it has the Batch API; by default only at the provider's own URL.
    pub(super) batch: Option<bool>,
    /// Whose batch API a server has that speaks OpenAI's format; `openai` by default.
    pub(super) batch_api: Option<BatchApi>,
    /// How often a failed call is repeated.
    #[schemars(range(max = 1000))]
    pub(super) retries: Option<u32>,
    /// Seconds before the first repetition; each later one waits twice as long.
    #[schemars(range(min = 0, max = 86400))]
    pub(super) backoff: Option<f64>,
    /// Seconds after which a call is given up.
    #[schemars(range(min = 0.001, max = 86400))]
    pub(super) timeout: Option<f64>,
    /// Seconds to wait between looks for a batch whose creation had an unclear result.
    #[schemars(length(max = 100), inner(range(min = 0, max = 86400)))]
    pub(super) look_again: Option<Vec<f64>>,
    /// Requests in one batch at most; by default, and never more than, what the provider takes.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) batch_requests: Option<u32>,
    /// Input tokens that may be in batches at once; by default what the provider refuses tells.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) enqueued_tokens: Option<u64>,
}

/// A model and how it is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelEntry {
    /// The provider's name.
    pub(super) provider: String,
    /// The model's name at the provider.
    #[schemars(length(min = 1))]
    pub(super) model: String,
    /// The longest answer in tokens.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) max_tokens: Option<u32>,
    /// 0 to 2.
    #[schemars(range(min = 0, max = 2))]
    pub(super) temperature: Option<f64>,
    /// Whether this model can be asked in batches; by default what the provider says.
    pub(super) batch: Option<bool>,
}

/// Prices of a model in US dollars per million tokens.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceEntry {
    /// Input that is neither read from a cache nor written to it.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub input: Option<f64>,
    /// Input read from the provider's cache.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub cached_input: Option<f64>,
    /// Input written to the provider's cache.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub cache_write: Option<f64>,
    /// Output, reasoning included.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub output: Option<f64>,
    /// The factor on all of them in a batch.
    #[schemars(range(min = 0, max = 10))]
    pub batch: Option<f64>,
}

/// A layer: a source or a transform.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerEntry {
    /// A glob of files, relative to this file. Makes the layer a source.
    pub(super) source: Option<String>,
    /// The kind of a source's artifacts; `source` by default.
    pub(super) kind: Option<String>,
    /// Whether files with a hidden name on their way are read: one that begins with a dot, as `.git` and `.env` do.
    pub(super) allow_hidden: Option<bool>,
    /// A first-party name such as `map`, or a component: a path such as `./plugins/mine.wasm`, `https://…#sha256=…` or `oci://registry/name:tag`.
    pub(super) transform: Option<String>,
    /// The layers whose artifacts are taken in.
    #[schemars(length(min = 1))]
    pub(super) inputs: Option<Vec<String>>,
    /// The model role; `default` by default.
    pub(super) model: Option<String>,
    /// Whether `batch-build` sends this layer's requests in batches.
    pub(super) batch: Option<BatchChoice>,
    /// The fewest requests for which `batch = "auto"` makes a batch; 2 by default.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) min_batch: Option<u32>,
    /// Enters the layer's request keys: a new text asks everything again.
    pub(super) revision: Option<String>,
    /// Answers that are taken although they are not complete.
    pub(super) accept: Option<Vec<Accepted>>,
    /// Units that the layer may have; by default 1000, and 1000 for each source artifact behind it, and one for each 64 bytes of these.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) max_units: Option<u64>,
    /// Requests that its units may ask, those answered before included; likewise.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) max_requests: Option<u64>,
    /// The transform's own settings.
    pub(super) config: Option<Map<String, Value>>,
    /// What a unit may use up.
    pub(super) limits: Option<LimitsEntry>,
    /// The capabilities it gives its plugin; by default `llm` where there is a model role.
    pub(super) grants: Option<Vec<Capability>>,
    /// Members of a request's `options` that its plugin may set beside those that only say how the model answers.
    pub(super) options_allowed: Option<Vec<String>>,
}

/// An answer that is taken although it is not complete.
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

/// What a unit may use up.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsEntry {
    /// Instructions, roughly.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(super) fuel: Option<u64>,
    /// Memory in MiB.
    #[schemars(range(min = 1, max = 4096))]
    pub(super) memory_mb: Option<u32>,
    /// Seconds of one run.
    #[schemars(range(min = 1, max = 86400))]
    pub(super) wall_s: Option<u32>,
    /// Output in MiB.
    #[schemars(range(min = 1, max = 4096))]
    pub(super) output_mb: Option<u32>,
    /// Requests.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) requests: Option<u32>,
    /// Input and output tokens of the answers together; by default no limit.
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
            (None, _) => Err(D::Error::custom("not \"auto\", true or false")),
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

#[cfg(test)]
mod tests {
    use crate::parse;

    const FILE: &str = "pipeline.name = \"p\"\nlayers.a.source = \"a/*\"\n";

    fn errors(rest: &str) -> String {
        parse(&format!("{FILE}{rest}")).map_or_else(|errors| errors.to_string(), |_| String::new())
    }

    #[test]
    fn prices_stand_under_the_model_s_name() {
        let pipeline = parse(&format!(
            "{FILE}pipeline.budget_usd = 2.5\n[prices.\"gpt-4.1\"]\ninput = 2\nbatch = 0.5\n"
        ))
        .unwrap();
        let price = &pipeline.prices["gpt-4.1"];
        assert_eq!((price.input, price.output), (Some(2.0), None));
        assert_eq!((price.batch, pipeline.budget_usd), (Some(0.5), Some(2.5)));
    }

    #[test]
    fn a_price_that_is_none_is_refused_where_it_stands() {
        for (rest, message) in [
            (
                "[prices.m]\ninputs = 1\n",
                "4:1: unknown key `inputs` in [prices.m] (did you mean `input`?)",
            ),
            (
                "[prices.m]\noutput = -1\n",
                "4:10: `prices.m.output` must be at least 0",
            ),
            (
                "pipeline.budget_usd = \"2\"\n",
                "3:23: `pipeline.budget_usd` must be a number, not a text",
            ),
        ] {
            assert_eq!(errors(rest), message);
        }
    }
}
