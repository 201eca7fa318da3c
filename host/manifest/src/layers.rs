//! Converts the layers of a pipeline file and sorts them.

use std::collections::BTreeMap;

use super::error::Finding;
use super::error_kind::PipelineErrorKind;
use super::manifest::{LayerEntry, LimitsEntry};
use super::nearest::did_you_mean;
use super::position::{child, dotted};
use super::resolve::Draft;
use super::source_layers::SOURCE_KEYS;
use super::{Capability, Layer, LayerBody, LayerLimits, PluginRef, TransformLayer, graph};
use synix_core::ids::LayerName;
use synix_core::request::Ending;

/// The keys that are only allowed in transforms.
pub(super) const TRANSFORM_KEYS: [&str; 11] = [
    "inputs",
    "model",
    "batch",
    "min_batch",
    "revision",
    "accept",
    "repair",
    "max_units",
    "max_requests",
    "grants",
    "options_allowed",
];

/// The first-party transform that requests embeddings and nothing else.
const EMBED_TRANSFORM: &str = "embed";

/// The model role of this transform, if the layer names no other.
const EMBEDDING_ROLE: &str = "embedding";

/// How often a request is repeated by default, if its answer does not match its `response_format`.
const DEFAULT_REPAIRS: u32 = 1;

/// Returns the sorted layers. If the draft has findings afterwards, invalid layers are missing.
pub(super) fn resolve(
    draft: &mut Draft<'_>,
    mut entries: BTreeMap<String, LayerEntry>,
) -> Vec<Layer> {
    let names = draft.names_in("layers");
    if names.is_empty() && !draft.has_finding("/layers") {
        draft.report(Finding::at_key("/layers", PipelineErrorKind::NoLayers));
    }
    let roles = draft.names_in("models");
    let mut edges = Vec::with_capacity(names.len());
    let mut layers = Vec::with_capacity(names.len());
    for name in &names {
        let table = Table {
            pointer: child("/layers", name),
            name,
            layers: &names,
            roles: &roles,
        };
        draft.check_name("layer", name, &table.pointer);
        let entry = entries.remove(name);
        let inputs = entry
            .as_ref()
            .and_then(|entry| entry.inputs.as_deref())
            .unwrap_or_default();
        edges.push(table.inputs(draft, inputs));
        layers.push(entry.and_then(|entry| table.layer(draft, entry)));
    }
    let order = match graph::sort(&edges) {
        Ok(order) => order,
        Err(cycles) => {
            for cycle in cycles {
                let cycle: Vec<String> = cycle
                    .into_iter()
                    .map(|layer| names[layer].clone())
                    .collect();
                let pointer = child(&child("/layers", &cycle[0]), "inputs");
                draft.report(Finding::at_value(pointer, PipelineErrorKind::Cycle(cycle)));
            }
            (0..names.len()).collect()
        }
    };
    let mut positions = vec![0; order.len()];
    for (position, layer) in order.iter().enumerate() {
        positions[*layer] = position;
    }
    let take_layer = |number: usize| {
        let mut layer = layers[number].take()?;
        if let LayerBody::Transform(transform) = &mut layer.body {
            transform.inputs = edges[number]
                .iter()
                .map(|input| positions[*input])
                .collect();
        }
        Some(layer)
    };
    order.iter().copied().filter_map(take_layer).collect()
}

/// The table of a layer, and the names that it may refer to.
pub(super) struct Table<'a> {
    pointer: String,
    name: &'a str,
    layers: &'a [String],
    roles: &'a [String],
}

impl Table<'_> {
    pub(super) fn pointer_to(&self, key: &str) -> String {
        child(&self.pointer, key)
    }

    /// Returns the numbers of the valid input layers.
    fn inputs(&self, draft: &mut Draft<'_>, inputs: &[String]) -> Vec<usize> {
        let mut numbers = Vec::with_capacity(inputs.len());
        for (position, input) in inputs.iter().enumerate() {
            let pointer = child(&self.pointer_to("inputs"), &position.to_string());
            let (layer, input_name) = (self.name.to_owned(), input.clone());
            let others = self
                .layers
                .iter()
                .map(String::as_str)
                .filter(|other| *other != self.name);
            let finding = match self.layers.iter().position(|layer| layer == input) {
                _ if input == self.name => {
                    Finding::at_value(pointer, PipelineErrorKind::OwnInput(layer))
                }
                Some(number) if numbers.contains(&number) => Finding::at_value(
                    pointer,
                    PipelineErrorKind::DuplicateInput {
                        layer,
                        input: input_name,
                    },
                ),
                Some(number) => {
                    numbers.push(number);
                    continue;
                }
                None => Finding::at_value(
                    pointer,
                    PipelineErrorKind::UnknownInput {
                        layer,
                        input: input_name,
                    },
                )
                .hint(did_you_mean(input, others)),
            };
            draft.report(finding);
        }
        numbers
    }

    fn layer(&self, draft: &mut Draft<'_>, entry: LayerEntry) -> Option<Layer> {
        let keys = || vec!["source".to_owned(), "transform".to_owned()];
        let body = match (
            draft.has(&self.pointer_to("source")),
            draft.has(&self.pointer_to("transform")),
        ) {
            (true, true) => {
                let kind = PipelineErrorKind::MutuallyExclusive {
                    keys: keys(),
                    table: dotted(&self.pointer),
                };
                draft.report(Finding::at_key(self.pointer_to("transform"), kind));
                None
            }
            (false, false) => {
                let kind = PipelineErrorKind::MissingOneOf {
                    keys: keys(),
                    table: dotted(&self.pointer),
                };
                draft.report(Finding::at_value(&self.pointer, kind));
                None
            }
            (true, false) => self.source(draft, entry),
            (false, true) => self
                .transform(draft, entry)
                .map(|transform| LayerBody::Transform(Box::new(transform))),
        };
        Some(Layer {
            name: LayerName::parse(self.name).ok()?,
            body: body?,
        })
    }

    /// Reports the keys that are only allowed in `what`.
    pub(super) fn refuse(&self, draft: &mut Draft<'_>, keys: &[&str], what: &'static str) {
        for key in keys {
            if draft.has(&self.pointer_to(key)) {
                let kind = PipelineErrorKind::Misplaced {
                    key: (*key).to_owned(),
                    what,
                };
                draft.report(Finding::at_key(self.pointer_to(key), kind));
            }
        }
    }

    pub(super) fn plugin(
        &self,
        draft: &mut Draft<'_>,
        key: &'static str,
        text: &str,
    ) -> Option<PluginRef> {
        match PluginRef::parse(key, text) {
            Ok(plugin) => Some(plugin),
            Err(kind) => {
                draft.report(Finding::at_value(self.pointer_to(key), kind));
                None
            }
        }
    }

    fn transform(&self, draft: &mut Draft<'_>, entry: LayerEntry) -> Option<TransformLayer> {
        self.refuse(draft, &SOURCE_KEYS, "sources");
        if !draft.has(&self.pointer_to("inputs")) {
            let kind = PipelineErrorKind::MissingKey {
                key: "inputs".to_owned(),
                table: dotted(&self.pointer),
            };
            draft.report(Finding::at_value(&self.pointer, kind));
        }
        if let Some(role) = entry
            .model
            .as_ref()
            .filter(|role| !self.roles.contains(role))
        {
            let hint = did_you_mean(role, self.roles.iter().map(String::as_str));
            let kind = PipelineErrorKind::UnknownRole(role.clone());
            draft.report(Finding::at_value(self.pointer_to("model"), kind).hint(hint));
        }
        let transform = self.plugin(draft, "transform", &entry.transform?)?;
        let embeds = matches!(&transform, PluginRef::FirstParty(name) if name == EMBED_TRANSFORM);
        let mut accept: Vec<Ending> = entry
            .accept
            .unwrap_or_default()
            .into_iter()
            .map(Ending::from)
            .collect();
        accept.dedup();
        Some(TransformLayer {
            transform,
            inputs: Vec::new(),
            model: entry
                .model
                .or_else(|| embeds.then(|| EMBEDDING_ROLE.to_owned())),
            batch: entry.batch.unwrap_or_default(),
            min_batch: entry.min_batch.unwrap_or(2),
            revision: entry.revision.unwrap_or_default(),
            accept,
            repair: entry.repair.unwrap_or(DEFAULT_REPAIRS),
            max_units: entry.max_units,
            max_requests: entry.max_requests,
            config: entry.config.unwrap_or_default(),
            allow_hidden: entry.allow_hidden.unwrap_or_default(),
            limits: entry.limits.unwrap_or_default().into(),
            grants: entry
                .grants
                .or_else(|| embeds.then(|| vec![Capability::Embed])),
            options_allowed: entry.options_allowed.unwrap_or_default(),
        })
    }
}

impl From<LimitsEntry> for LayerLimits {
    fn from(entry: LimitsEntry) -> Self {
        let LimitsEntry {
            fuel,
            memory_mb,
            wall_s,
            output_mb,
            requests,
            tokens,
        } = entry;
        Self {
            fuel,
            memory_mb,
            wall_s,
            output_mb,
            requests,
            tokens,
        }
    }
}
