//! Prepared layers: the plugin is loaded, the config is checked, and only the inputs are missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::requests_per_unit::RequestsPerUnit;
use super::trial::LabelRule;
use crate::pending::Target;
use synix_core::digest::{Digest, Encoder};
use synix_core::fingerprint::{
    Change, InputPart, LayerParts, ModelParts, PipelineParts, UnitParts, model_changes,
};
use synix_core::ids::{Kind, LayerName};
use synix_core::request::{GuestRequest, Part, Request, RequestKind, Wire};
use synix_manifest::{BatchChoice, OnDuplicate};
use synix_prices::cut_to_window;
use synix_sandbox::{Grants, Limits, Plugin, ReaderPlugin, Shape};
use synix_sources::HiddenFiles;

/// A pipeline with prepared layers.
#[derive(Debug)]
pub struct ReadyPipeline {
    /// The file, relative to the project.
    pub file: String,
    /// The layers in the pipeline's order: upstream layers come first.
    pub layers: Vec<ReadyLayer>,
    /// The model roles by name.
    pub roles: Arc<Roles>,
    /// The fingerprint of the pipeline.
    pub fingerprint: Digest,
    /// What the fingerprint covers, for messages about changes.
    pub parts: PipelineParts,
    /// The bytes of its transforms, by digest; empty unless they are kept.
    pub components: BTreeMap<Digest, Arc<[u8]>>,
    /// The maximum number of units of all layers together, if configured.
    pub max_units: Option<u64>,
    /// The maximum number of requests of all layers together, if configured.
    pub max_requests: Option<u64>,
}

/// A prepared layer.
#[derive(Debug)]
pub struct ReadyLayer {
    /// Its name.
    pub name: LayerName,
    /// What it does.
    pub body: ReadyBody,
    /// Whether it may read hidden files.
    pub allow_hidden: bool,
}

/// What a layer does.
#[derive(Debug)]
pub enum ReadyBody {
    /// Makes an artifact of each file that matches a glob.
    Texts {
        /// Relative to the project.
        globs: Vec<String>,
        /// The kind of its artifacts.
        kind: Kind,
        /// Whether hidden files are read.
        hidden: HiddenFiles,
    },
    /// Runs a reader over each file that matches a glob.
    Reader(Arc<ReadyReader>),
    /// Runs a transform.
    Transform(Arc<ReadyTransform>),
}

impl ReadyBody {
    /// Returns the transform, or `None` for a source.
    pub const fn transform(&self) -> Option<&Arc<ReadyTransform>> {
        match self {
            Self::Transform(transform) => Some(transform),
            Self::Texts { .. } | Self::Reader(_) => None,
        }
    }

    /// Returns the shape of a transform, or `None` for a source.
    pub fn shape(&self) -> Option<Shape> {
        self.transform()
            .map(|transform| transform.plugin.descriptor().shape)
    }
}

/// A reader with its config.
#[derive(Debug)]
pub struct ReadyReader {
    /// The layer's name.
    pub layer: LayerName,
    /// The globs of the files, relative to the project.
    pub globs: Vec<String>,
    /// Whether hidden files are read.
    pub hidden: HiddenFiles,
    /// The plugin.
    pub plugin: ReaderPlugin,
    /// The config with the text of its files, as JSON text.
    pub config_text: String,
    /// The limits of each file, before they grow with its size.
    pub limits: Limits,
    /// What happens to a second artifact with the same label.
    pub on_duplicate: OnDuplicate,
    /// What the fingerprints of all its files share.
    pub parts: LayerParts,
    /// The same, encoded.
    pub encoder: Encoder,
}

impl ReadyReader {
    /// Returns the parts of the unit of a file.
    pub(super) fn file_parts(&self, path: &str, digest: Digest) -> UnitParts {
        UnitParts {
            key: path.to_owned(),
            config: None,
            inputs: vec![InputPart {
                name: path.to_owned(),
                digest,
            }],
            partial: false,
        }
    }
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
    /// The limits of each unit.
    pub limits: Limits,
    /// What the plugin may send to a model.
    pub grants: Grants,
    /// The name of the layer's model role.
    pub role: String,
    /// Part of the request keys.
    pub revision: String,
    /// Whether a truncated answer is accepted.
    pub accept_truncated: bool,
    /// How often a request is repeated if its answer does not match its `response_format`.
    pub repair: u32,
    /// The members of `options` that the plugin may set beside the sampling options; `None`: any.
    pub options_allowed: Option<BTreeSet<String>>,
    /// Whether requests are sent in batches, as configured.
    pub batch: BatchChoice,
    /// Whether the role's provider and model have a batch API.
    pub has_batch_api: bool,
    /// The minimum number of recorded requests for a batch.
    pub min_batch: u64,
    /// The maximum number of its units, if configured.
    pub max_units: Option<u64>,
    /// The maximum number of its units' requests, if configured.
    pub max_requests: Option<u64>,
    /// What is known about the labels that a unit will make.
    pub label_rule: LabelRule,
    /// How many requests a unit makes, as far as that is known.
    pub requests_per_unit: RequestsPerUnit,
    /// What the fingerprints of all its units share.
    pub parts: LayerParts,
    /// The same, encoded.
    pub encoder: Encoder,
    /// The paths of the files that the config names, by their pointer in it.
    pub files: BTreeMap<String, String>,
}

/// The settings behind a model role.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleSettings {
    /// The wire format of its provider.
    pub wire: Wire,
    /// Where its requests go. All of them share it.
    pub target: Arc<Target>,
    /// The maximum length of an answer in tokens.
    pub max_tokens: Option<u32>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// The maximum number of input tokens of a request, if configured.
    pub context_window: Option<u64>,
    /// The number of dimensions of embeddings, if configured.
    pub dimensions: Option<u32>,
}

impl RoleSettings {
    /// Returns the settings of a layer's role as a fingerprint covers them.
    pub fn parts_for(&self, grants: Grants) -> ModelParts {
        ModelParts {
            // A longer text for an embedding is cut. The window changes no other request.
            context_window: self.context_window.filter(|_| grants.embed),
            ..self.parts()
        }
    }

    /// Returns the settings as a fingerprint covers them, apart from the context window.
    pub fn parts(&self) -> ModelParts {
        ModelParts {
            api: self.wire.name().to_owned(),
            provider: self.target.provider.clone(),
            model: self.target.model.clone(),
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            dimensions: self.dimensions,
            context_window: None,
        }
    }

    /// Fills in the settings that a guest's request leaves to its role.
    pub fn resolve(&self, request: GuestRequest, revision: &str) -> Request {
        if request.is_embedding {
            return self.resolve_embedding(request, revision);
        }
        let default_max_tokens = match self.wire {
            Wire::OpenAi => None,
            Wire::Anthropic => Some(MAX_TOKENS_FOR_ANTHROPIC),
        };
        Request {
            kind: RequestKind::Completion,
            wire: self.wire,
            provider: self.target.provider.clone(),
            model: self.target.model.clone(),
            messages: request.messages,
            max_tokens: request
                .max_tokens
                .or(self.max_tokens)
                .or(default_max_tokens),
            temperature: request.temperature.or(self.temperature),
            stop: request.stop,
            response_format: request.response_format,
            options: request.options,
            sample: request.sample,
            revision: revision.to_owned(),
        }
    }

    /// Cuts the text of an embedding to the length that the model takes.
    fn resolve_embedding(&self, mut request: GuestRequest, revision: &str) -> Request {
        let (wire, window) = (self.wire, self.context_window);
        for part in request
            .messages
            .iter_mut()
            .flat_map(|message| &mut message.parts)
        {
            if let Part::Text(text) = part {
                let length = cut_to_window(text, wire, &self.target.model, window).len();
                text.truncate(length);
            }
        }
        Request {
            kind: RequestKind::Embedding {
                dimensions: self.dimensions,
            },
            wire,
            provider: self.target.provider.clone(),
            model: self.target.model.clone(),
            messages: request.messages,
            max_tokens: None,
            temperature: None,
            stop: Vec::new(),
            response_format: None,
            options: request.options,
            sample: 0,
            revision: revision.to_owned(),
        }
    }
}

/// The model roles of a pipeline.
#[derive(Debug, Default)]
pub struct Roles(pub BTreeMap<String, RoleSettings>);

/// The maximum length of an answer in tokens, for a wire format that requires one, if none is configured.
const MAX_TOKENS_FOR_ANTHROPIC: u32 = 4096;

impl Roles {
    /// Returns the settings of the roles that a unit used beside its layer's, as a JSON object; `None` if there are none.
    pub fn extra_settings(&self, used: &[String]) -> Option<String> {
        if used.is_empty() {
            return None;
        }
        let roles: ExtraRoles = used
            .iter()
            .map(|name| (name.clone(), self.0.get(name).map(RoleSettings::parts)))
            .collect();
        serde_json::to_string(&roles).ok()
    }

    /// Returns the settings of all roles, as a JSON object.
    pub fn settings(&self) -> Option<String> {
        let roles = self.0.iter();
        let roles: BTreeMap<&str, ModelParts> = roles
            .map(|(name, settings)| (name.as_str(), settings.parts()))
            .collect();
        serde_json::to_string(&roles).ok()
    }

    /// Returns whether the settings of the roles in `extra` are unchanged.
    pub fn is_unchanged(&self, extra: Option<&str>) -> bool {
        let Some(extra) = extra else { return true };
        let Ok(roles) = serde_json::from_str::<ExtraRoles>(extra) else {
            return false;
        };
        roles
            .iter()
            .all(|(name, before)| self.0.get(name).map(RoleSettings::parts) == *before)
    }

    /// Returns what changed in the roles in `extra`.
    pub fn changes(&self, extra: Option<&str>) -> Vec<Change> {
        let roles = extra.and_then(|extra| serde_json::from_str::<ExtraRoles>(extra).ok());
        let mut changes = Vec::new();
        for (name, before) in roles.unwrap_or_default() {
            let now = self.0.get(&name).map(RoleSettings::parts);
            for mut change in model_changes(before.as_ref(), now.as_ref()) {
                change.key = format!("models.{name}.{}", change.key);
                changes.push(change);
            }
        }
        changes
    }
}

/// The settings of model roles by name; `None` if there was no such role.
type ExtraRoles = BTreeMap<String, Option<ModelParts>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(temperature: f64) -> Roles {
        let settings = RoleSettings {
            wire: Wire::OpenAi,
            target: Arc::new(Target {
                provider: "openai".to_owned(),
                model: "gpt-4o-mini".to_owned(),
            }),
            max_tokens: None,
            temperature: Some(temperature),
            context_window: None,
            dimensions: None,
        };
        Roles(BTreeMap::from([("judge".to_owned(), settings)]))
    }

    /// The roles that a unit used are compared with their settings at that time.
    #[test]
    fn roles_beside_the_layers_are_compared_by_their_settings() {
        let used = ["judge".to_owned(), "nobody".to_owned()];
        let before = roles(0.1).extra_settings(&used);
        assert!(roles(0.1).is_unchanged(before.as_deref()));
        assert!(!roles(0.3).is_unchanged(before.as_deref()));
        let changes = roles(0.3).changes(before.as_deref());
        assert_eq!(
            changes[0].to_string(),
            "models.judge.temperature changed (0.1 -> 0.3)"
        );
        assert_eq!(changes.len(), 1);
        assert_eq!(roles(0.1).extra_settings(&[]), None);
        assert!(roles(0.1).is_unchanged(None));
        // Stored by an earlier version, as a text.
        assert!(!roles(0.1).is_unchanged(Some(r#"{"judge":"openai openai gpt-4o-mini"}"#)));
    }
}
