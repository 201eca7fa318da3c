//! The plugins of a pipeline with their bytes, for a reader who wants to know what they may do.

use std::collections::BTreeMap;

use super::ProjectError;
use super::context::{Options, ProjectContext};
use super::plugins::read_component;
use synix_manifest::{Layer, PluginRef};

/// A plugin of a pipeline.
#[derive(Debug)]
pub struct PipelinePlugin {
    /// The reference in the pipeline file.
    pub reference: String,
    /// The layers that use it, in the pipeline's order.
    pub layers: Vec<GrantingLayer>,
    /// The bytes of its component, or why there are none.
    pub component: Result<Vec<u8>, ProjectError>,
}

/// A layer, and what it allows its plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantingLayer {
    /// Its name.
    pub name: String,
    /// The capabilities that it grants; `None`: those that the plugin declares.
    pub grants: Option<Vec<String>>,
}

/// Returns the plugins of the current pipeline, in the order of its layers. It downloads nothing.
pub fn pipeline_plugins(options: &Options) -> Result<Vec<PipelinePlugin>, ProjectError> {
    let options = &Options {
        offline: true,
        ..options.clone()
    };
    let context = ProjectContext::find(options)?;
    let pipeline = context.pipeline()?;
    let mut plugins: Vec<PipelinePlugin> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for layer in &pipeline.layers {
        let Some(reference) = layer.plugin() else {
            continue;
        };
        let at = *known.entry(reference.text().to_owned()).or_insert_with(|| {
            plugins.push(PipelinePlugin {
                reference: reference.text().to_owned(),
                layers: Vec::new(),
                component: component(&context, layer, reference),
            });
            plugins.len() - 1
        });
        if let Some(plugin) = plugins.get_mut(at) {
            plugin.layers.push(granting(layer));
        }
    }
    Ok(plugins)
}

fn component(
    context: &ProjectContext,
    layer: &Layer,
    reference: &PluginRef,
) -> Result<Vec<u8>, ProjectError> {
    match reference {
        // A pipeline with an unknown name is not valid.
        PluginRef::FirstParty(name) => Ok(synix_components::component(name).unwrap_or_default()),
        PluginRef::File(_) => Ok(read_component(layer, reference, &context.folder()?)?.bytes),
        PluginRef::Url { .. } | PluginRef::Oci { .. } => {
            let pin = context.lock()?.get(reference.text());
            let pin = pin.filter(|pin| reference.accepts(pin.digest));
            Ok(context.get(&context.registry(), reference, pin)?.bytes)
        }
    }
}

fn granting(layer: &Layer) -> GrantingLayer {
    let grants = layer
        .transform()
        .and_then(|transform| transform.grants.as_ref());
    GrantingLayer {
        name: layer.name.to_string(),
        grants: grants.map(|grants| {
            let names = grants.iter().map(|capability| capability.name().to_owned());
            names.collect()
        }),
    }
}
