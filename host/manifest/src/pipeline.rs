//! Queries of a pipeline, and the errors that are only known outside of this crate.

use std::collections::BTreeSet;

use super::error::Finding;
use super::position::child;
use super::{
    BatchChoice, BatchSupport, Capability, DEFAULT_ROLE, Layer, ModelRole, NoBatchReason, Pipeline,
    PipelineError, PipelineErrorKind, PluginRef, ProviderProfile, graph, nearest, profile,
};
use synix_core::ids::LayerName;
use synix_core::request::Wire;

impl Pipeline {
    /// Returns the layer with this name.
    pub fn layer(&self, name: &LayerName) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == *name)
    }

    /// Returns the positions of all layers that depend on the layer at `position`, directly or indirectly.
    pub fn dependants(&self, position: usize) -> BTreeSet<usize> {
        let inputs: Vec<Vec<usize>> = self
            .layers
            .iter()
            .map(|layer| {
                layer
                    .transform()
                    .map_or_else(Vec::new, |transform| transform.inputs.clone())
            })
            .collect();
        graph::dependants(&inputs, position)
    }

    /// Returns the model role of a layer; `None` for a source, or if the role does not exist.
    pub fn role(&self, layer: &Layer) -> Option<&ModelRole> {
        let role = layer.transform()?.model.as_deref();
        self.models.get(role.unwrap_or(DEFAULT_ROLE))
    }

    /// Returns whether a role supports batches. `is_redirected`: the environment changes the URL of its provider.
    pub fn batch_support(&self, role: &ModelRole, is_redirected: bool) -> BatchSupport {
        profile::batch_support(self.providers.get(&role.provider), role, is_redirected)
    }

    /// Returns an error for each layer with `batch = true` whose model does not support batches.
    ///
    /// `is_redirected` returns whether the environment changes the URL of a provider. [`parse`] has already checked the
    /// text alone.
    pub fn check_batch(
        &self,
        is_redirected: impl Fn(&ProviderProfile) -> bool,
    ) -> Vec<PipelineError> {
        let requires_batch = |layer: &&Layer| {
            layer
                .transform()
                .is_some_and(|transform| transform.batch == BatchChoice::Always)
        };
        let findings = self
            .layers
            .iter()
            .filter(requires_batch)
            .filter_map(|layer| {
                let role = self.role(layer)?;
                let is_redirected = is_redirected(self.providers.get(&role.provider)?);
                let reason = self.batch_support(role, is_redirected).reason(role)?;
                let hint = match &reason {
                    NoBatchReason::NotDeclared(provider) => Some(format!(
                        "set `batch = true` in [providers.{provider}] if it does"
                    )),
                    NoBatchReason::Model(_) | NoBatchReason::Provider(_) => None,
                };
                let kind = PipelineErrorKind::NoBatch {
                    layer: layer.name.to_string(),
                    reason,
                };
                Some(
                    Finding::at_value(child(&layer_pointer(&layer.name), "batch"), kind).hint(hint),
                )
            });
        findings
            .map(|found| found.locate(&self.positions))
            .collect()
    }

    /// Returns an error if a layer does not grant what its plugin declares, or has no model role for it.
    pub fn capability_error(
        &self,
        layer: &Layer,
        declared: &[Capability],
    ) -> Option<PipelineError> {
        let grants = layer
            .transform()
            .and_then(|transform| transform.grants.as_ref());
        let is_missing =
            |capability: &&Capability| grants.is_some_and(|grants| !grants.contains(capability));
        if let Some(capability) = declared.iter().find(is_missing) {
            let kind = PipelineErrorKind::NotGranted {
                layer: layer.name.to_string(),
                capability: capability.name(),
            };
            let hint = format!(
                "set `grants = [\"{}\"]` to allow it, or use a different plugin",
                capability.name()
            );
            let found = Finding::at_value(child(&layer_pointer(&layer.name), "grants"), kind)
                .hint(Some(hint));
            return Some(found.locate(&self.positions));
        }
        // A plugin with both capabilities may name the role of its embeddings itself.
        let only_embeds = declared == [Capability::Embed];
        let capability = *declared.first()?;
        let Some(role) = self.role(layer) else {
            return Some(self.no_role_error(layer, capability));
        };
        let provider = self.providers.get(&role.provider)?;
        (only_embeds && provider.api == Wire::Anthropic)
            .then(|| self.no_embeddings_error(layer, role))
    }

    /// Anthropic has no embeddings: a request would be refused, so nothing is sent.
    fn no_embeddings_error(&self, layer: &Layer, role: &ModelRole) -> PipelineError {
        let kind = PipelineErrorKind::NoEmbeddings {
            layer: layer.name.to_string(),
            role: role.name.clone(),
        };
        let hint = format!(
            "set `provider` in [models.{}] to one that has embeddings, such as `openai`",
            role.name
        );
        Finding::at_value(child(&layer_pointer(&layer.name), "transform"), kind)
            .hint(Some(hint))
            .locate(&self.positions)
    }

    pub(super) fn no_role_error(&self, layer: &Layer, capability: Capability) -> PipelineError {
        let named = layer
            .transform()
            .and_then(|transform| transform.model.as_deref());
        let role = named.unwrap_or(DEFAULT_ROLE);
        let kind = PipelineErrorKind::MissingRole {
            layer: layer.name.to_string(),
            role: role.to_owned(),
        };
        let hint = match capability {
            Capability::Llm => format!("add [models.{role}] or name a role: `model = \"…\"`"),
            Capability::Embed => format!(
                "add [models.{role}], such as with `provider = \"openai\"` and `model = \"text-embedding-3-small\"`, or name a role: `model = \"…\"`"
            ),
        };
        Finding::at_value(child(&layer_pointer(&layer.name), "transform"), kind)
            .hint(Some(hint))
            .locate(&self.positions)
    }

    /// Returns the error for a layer whose first-party transform or reader is not in `known`.
    pub fn unknown_plugin_error<'a>(
        &self,
        layer: &Layer,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> PipelineError {
        let name = layer.plugin().map_or("", PluginRef::text);
        let key = layer.plugin_key();
        let hint = nearest::did_you_mean(name, known.clone()).unwrap_or_else(|| {
            let known: Vec<&str> = known.into_iter().collect();
            format!(
                "available are {}; refer to a component by its path: `./{name}.wasm`",
                known.join(", ")
            )
        });
        let kind = PipelineErrorKind::UnknownPlugin {
            what: if key == "read" { "reader" } else { "transform" },
            name: name.to_owned(),
        };
        Finding::at_value(child(&layer_pointer(&layer.name), key), kind)
            .hint(Some(hint))
            .locate(&self.positions)
    }
}

/// Returns the JSON pointer to a layer's table.
pub(super) fn layer_pointer(layer: &LayerName) -> String {
    child("/layers", layer.as_str())
}
