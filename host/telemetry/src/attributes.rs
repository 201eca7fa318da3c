//! The names of attributes and metrics: the one place that has those of the GenAI conventions of OpenTelemetry.
//!
//! The conventions are still in development and may rename an attribute. What has no name there begins with `synix.`.

/// `chat` or `embeddings`.
pub(crate) const OPERATION: &str = "gen_ai.operation.name";
/// The provider's name in the pipeline file.
pub(crate) const PROVIDER: &str = "gen_ai.provider.name";
/// The model of a request.
pub(crate) const MODEL: &str = "gen_ai.request.model";
/// `stop` or `length`.
pub(crate) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// All input tokens, those of a cache included.
pub(crate) const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// All output tokens, those of reasoning included.
pub(crate) const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Input tokens that a provider read from its cache.
pub(crate) const CACHE_READ_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// Input tokens that a provider wrote to its cache.
pub(crate) const CACHE_CREATION_TOKENS: &str = "gen_ai.usage.cache_creation.input_tokens";
/// Output tokens spent on reasoning.
pub(crate) const REASONING_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";
/// `input` or `output`; of metrics.
pub(crate) const TOKEN_TYPE: &str = "gen_ai.token.type";
/// The conversation, only on request.
pub(crate) const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// The answer, only on request.
pub(crate) const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
/// The kind of a failure.
pub(crate) const ERROR_TYPE: &str = "error.type";

/// The id of a build, such as `build-7`.
pub(crate) const BUILD: &str = "synix.build";
/// `build` or `batch-build`.
pub(crate) const BUILD_KIND: &str = "synix.build.kind";
/// The status of a build.
pub(crate) const STATUS: &str = "synix.status";
/// The pipeline file.
pub(crate) const PIPELINE: &str = "synix.pipeline";
/// The name of a layer.
pub(crate) const LAYER: &str = "synix.layer";
/// `sync` or `batch`.
pub(crate) const MODE: &str = "synix.mode";
/// The key of a unit.
pub(crate) const UNIT: &str = "synix.unit";
/// The number of units of a layer that are fresh.
pub(crate) const UNITS_FRESH: &str = "synix.units.fresh";
/// The number of units of a layer that a build made.
pub(crate) const UNITS_DONE: &str = "synix.units.done";
/// The number of units of a layer that failed or were held back.
pub(crate) const UNITS_FAILED: &str = "synix.units.failed";
/// `done` or `failed`; of metrics.
pub(crate) const OUTCOME: &str = "synix.outcome";
/// The request key.
pub(crate) const REQUEST_KEY: &str = "synix.request.key";
/// The cost in US dollars, if the prices are known.
pub(crate) const COST: &str = "synix.cost.usd";
/// The id of a batch at its provider.
pub(crate) const BATCH: &str = "synix.batch";
/// The number of requests of a batch.
pub(crate) const BATCH_REQUESTS: &str = "synix.batch.requests";

/// The histogram of the tokens of requests.
pub(crate) const TOKEN_USAGE_METRIC: &str = "gen_ai.client.token.usage";
/// The histogram of the durations of requests in seconds.
pub(crate) const DURATION_METRIC: &str = "gen_ai.client.operation.duration";
/// The sum of the costs of requests in US dollars.
pub(crate) const COST_METRIC: &str = "synix.cost";
/// The number of units that settled.
pub(crate) const UNITS_METRIC: &str = "synix.units";

/// The boundaries that the conventions prescribe for [`TOKEN_USAGE_METRIC`].
pub(crate) const TOKEN_BOUNDS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// The boundaries that the conventions prescribe for [`DURATION_METRIC`].
pub(crate) const DURATION_BOUNDS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
