//! Layers made ready: plugin loaded, config checked, everything a unit needs but its inputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::digest::{Digest, Encoder};
use crate::fingerprint::LayerParts;
use crate::ids::{Kind, LayerName};
use crate::pipeline::BatchChoice;
use crate::plugin::{Limits, Plugin};
use crate::request::{Ask, Request, Wire};
use crate::source::Hidden;

/// A pipeline whose layers are ready.
#[derive(Debug)]
pub struct ReadyPipeline {
    /// The file, relative to the project.
    pub file: String,
    /// The layers in the pipeline's order: inputs stand before those who use them.
    pub layers: Vec<ReadyLayer>,
    /// The model roles by name.
    pub roles: Arc<Roles>,
    /// The fingerprint over everything in it.
    pub fingerprint: Digest,
    /// What the fingerprint covers, one line each, for telling what changed.
    pub parts: BTreeMap<String, String>,
}

/// A layer that is ready.
#[derive(Debug)]
pub struct ReadyLayer {
    /// Its name.
    pub name: LayerName,
    /// What it does.
    pub body: ReadyBody,
    /// Whether it may read files with a hidden name on their way.
    pub allow_hidden: bool,
}

/// What a layer does.
#[derive(Debug)]
pub enum ReadyBody {
    /// Reads files that match a glob.
    Source {
        /// Relative to the project.
        glob: String,
        /// The kind of its artifacts.
        kind: Kind,
        /// Whether hidden files are read.
        hidden: Hidden,
    },
    /// Runs a plugin.
    Transform(Arc<ReadyTransform>),
}

/// A plugin with its config.
#[derive(Debug)]
pub struct ReadyTransform {
    /// The layer's name.
    pub layer: LayerName,
    /// The plugin.
    pub plugin: Plugin,
    /// The positions of the input layers.
    pub inputs: Vec<usize>,
    /// The config with the text of its files.
    pub config: Map<String, Value>,
    /// The same, as JSON text.
    pub config_text: String,
    /// What no unit may exceed.
    pub limits: Limits,
    /// Whether the plugin may ask a model.
    pub grants_llm: bool,
    /// The name of the layer's model role.
    pub role: String,
    /// Enters the request keys.
    pub revision: String,
    /// Whether an answer cut at its token limit will do.
    pub accept_truncated: bool,
    /// What the pipeline says about batches.
    pub batch: BatchChoice,
    /// Whether the role's provider and model have a batch API.
    pub has_batch_api: bool,
    /// How many recorded requests make a batch worth while.
    pub min_batch: u64,
    /// What all its units' fingerprints share.
    pub parts: LayerParts,
    /// The same, encoded.
    pub encoder: Encoder,
    /// Paths of the files that the config names, by their place in it.
    pub files: BTreeMap<String, String>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

/// The settings behind a model role.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleSettings {
    /// How its provider is spoken to.
    pub wire: Wire,
    /// The provider's name.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The longest answer in tokens.
    pub max_tokens: Option<u32>,
    /// 0 to 2.
    pub temperature: Option<f64>,
}

impl RoleSettings {
    /// Returns the settings in words, for a fingerprint and for people.
    pub fn words(&self) -> String {
        let mut words = format!("{} {} {}", self.wire.name(), self.provider, self.model);
        if let Some(max_tokens) = self.max_tokens {
            words.push_str(&format!(" max_tokens={max_tokens}"));
        }
        if let Some(temperature) = self.temperature {
            words.push_str(&format!(" temperature={temperature}"));
        }
        words
    }
}

/// The model roles of a pipeline.
#[derive(Debug, Default)]
pub struct Roles(pub BTreeMap<String, RoleSettings>);

/// The longest answer where a wire format demands a number and nobody gave one, in tokens.
const MAX_TOKENS_FOR_ANTHROPIC: u32 = 4096;

impl Roles {
    /// Fills in what `ask` leaves to its role; `None` where there is no such role.
    pub fn resolve(&self, transform: &ReadyTransform, ask: Ask) -> Option<Request> {
        let role = self
            .0
            .get(ask.model.as_deref().unwrap_or(&transform.role))?;
        let fallback = match role.wire {
            Wire::OpenAi => None,
            Wire::Anthropic => Some(MAX_TOKENS_FOR_ANTHROPIC),
        };
        Some(Request {
            wire: role.wire,
            provider: role.provider.clone(),
            model: role.model.clone(),
            messages: ask.messages,
            max_tokens: ask.max_tokens.or(role.max_tokens).or(fallback),
            temperature: ask.temperature.or(role.temperature),
            stop: ask.stop,
            response_format: ask.response_format,
            options: ask.options,
            sample: ask.sample,
            revision: transform.revision.clone(),
        })
    }

    /// Returns the settings of the roles a unit used beside its layer's, as a JSON object; `None` for none.
    pub fn extra(&self, used: &[String]) -> Option<String> {
        if used.is_empty() {
            return None;
        }
        let words: BTreeMap<&str, String> = used
            .iter()
            .map(|name| {
                (
                    name.as_str(),
                    self.0
                        .get(name)
                        .map_or_else(String::new, RoleSettings::words),
                )
            })
            .collect();
        serde_json::to_string(&words).ok()
    }

    /// Says whether the roles in `extra` still have the settings they had.
    pub fn unchanged(&self, extra: Option<&str>) -> bool {
        let Some(extra) = extra else { return true };
        let Ok(words) = serde_json::from_str::<BTreeMap<String, String>>(extra) else {
            return false;
        };
        words.iter().all(|(name, words)| {
            self.0
                .get(name)
                .map_or_else(String::new, RoleSettings::words)
                == *words
        })
    }
}
