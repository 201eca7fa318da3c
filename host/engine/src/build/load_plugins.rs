//! Loads the plugins of layers, and checks configs and grants against what they say of themselves.

use std::borrow::Cow;
use std::sync::Arc;

use super::prepare::Preparation;
use super::prepare_error::PrepareError;
use synix_components::FirstParty;
use synix_manifest::{
    Capability, Layer, PipelineError, PluginRef, ReaderLayer, TransformLayer, check_config,
};
use synix_sandbox::{Plugin, PluginError, ReaderPlugin};

impl Preparation<'_> {
    pub(super) fn load_transform(
        &mut self,
        layer: &Layer,
        transform: &TransformLayer,
    ) -> Result<Result<Plugin, Vec<PipelineError>>, PrepareError> {
        let name = transform.transform.text();
        let plugin = match self.transforms.get(name) {
            Some(plugin) => plugin.clone(),
            None => {
                let known = self.context.transforms;
                let bytes = match self.component(layer, &transform.transform, known) {
                    Ok(bytes) => bytes,
                    Err(error) => return Ok(Err(vec![*error])),
                };
                let loaded = self.context.sandbox.load(name, &bytes);
                let plugin = loaded.map_err(|source| unusable(layer, source))?;
                if self.context.keep_components {
                    let bytes = Arc::from(bytes.into_owned());
                    self.kept.insert(plugin.digest(), bytes);
                }
                self.transforms.insert(name.to_owned(), plugin.clone());
                plugin
            }
        };
        let descriptor = plugin.descriptor();
        let mut errors = check_config(self.pipeline, layer, &descriptor.config_schema);
        let declared = [
            (Capability::Llm, descriptor.declares_llm()),
            (Capability::Embed, descriptor.declares_embed()),
        ];
        let declared: Vec<Capability> = declared
            .into_iter()
            .filter_map(|(capability, is_declared)| is_declared.then_some(capability))
            .collect();
        errors.extend(self.pipeline.capability_error(layer, &declared));
        Ok(if errors.is_empty() {
            Ok(plugin)
        } else {
            Err(errors)
        })
    }

    pub(super) fn load_reader(
        &self,
        layer: &Layer,
        reader: &ReaderLayer,
    ) -> Result<Result<ReaderPlugin, Vec<PipelineError>>, PrepareError> {
        let bytes = match self.component(layer, &reader.plugin, self.context.readers) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(vec![*error])),
        };
        let loaded = self
            .context
            .sandbox
            .load_reader(reader.plugin.text(), &bytes);
        let plugin = loaded.map_err(|source| unusable(layer, source))?;
        let errors = check_config(self.pipeline, layer, &plugin.descriptor().config_schema);
        Ok(if errors.is_empty() {
            Ok(plugin)
        } else {
            Err(errors)
        })
    }

    /// Returns the bytes of a component; `known` are the first-party ones.
    fn component(
        &self,
        layer: &Layer,
        reference: &PluginRef,
        known: &[FirstParty],
    ) -> Result<Cow<'_, [u8]>, Box<PipelineError>> {
        let name = reference.text();
        let bytes = match reference {
            PluginRef::FirstParty(name) => {
                let found = known.iter().find(|known| known.name == name);
                found.map(|known| Cow::Owned(known.component()))
            }
            PluginRef::File(_) | PluginRef::Url { .. } | PluginRef::Oci { .. } => {
                let bytes = self.context.components.get(name);
                bytes.map(|bytes| Cow::Borrowed(bytes.as_slice()))
            }
        };
        bytes.ok_or_else(|| {
            let known = known.iter().map(|known| known.name);
            Box::new(self.pipeline.unknown_plugin_error(layer, known))
        })
    }
}

fn unusable(layer: &Layer, source: PluginError) -> PrepareError {
    PrepareError::Plugin {
        layer: layer.name.to_string(),
        source: Box::new(source),
    }
}
