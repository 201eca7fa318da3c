//! Descriptions of the plugins of a pipeline.

use synix_authoring::LoadedPlugin;
use synix_authoring::inspect::inspect;
use synix_project::{Options, PipelinePlugin};
use synix_sandbox::Sandbox;
use synix_web::{Plugin, PluginDescription};

use crate::failure;

/// Describes each plugin, or says why it cannot be loaded.
pub(super) fn describe(options: &Options) -> anyhow::Result<Vec<Plugin>> {
    let plugins = synix_project::pipeline_plugins(options)?;
    let sandbox = synix_project::sandbox(options)?;
    let described = plugins.into_iter().map(|plugin| {
        let PipelinePlugin {
            reference,
            layers,
            component,
        } = plugin;
        let bytes = component.map_err(anyhow::Error::from);
        let description = bytes.and_then(|bytes| description(&sandbox, &reference, &bytes));
        Plugin {
            description: description.map_err(|error| failure::view(&error)),
            layers: layers
                .into_iter()
                .map(|layer| (layer.name, layer.grants))
                .collect(),
            reference,
        }
    });
    Ok(described.collect())
}

fn description(
    sandbox: &Sandbox,
    reference: &str,
    bytes: &[u8],
) -> anyhow::Result<PluginDescription> {
    let plugin = LoadedPlugin::load(sandbox, reference, bytes)?;
    let found = inspect(&plugin, bytes)?;
    Ok(PluginDescription {
        name: found.name,
        version: found.version,
        summary: found.summary,
        kind: found.kind.to_string(),
        capabilities: found.capabilities,
        imports: found.imports,
        config_schema: found.config_schema,
        size: found.size as u64,
        digest: found.digest,
    })
}
