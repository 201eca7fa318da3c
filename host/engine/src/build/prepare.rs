//! Prepares a parsed pipeline: loads plugins, checks configs and reads the files that they name.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::config_files::ConfigFiles;
use super::layer_settings::{pipeline_parts, unit_limits};
use super::layers::{ReadyBody, ReadyLayer, ReadyPipeline, ReadyTransform, RoleSettings, Roles};
use super::prepare_error::PrepareError;
use super::requests_per_unit::RequestsPerUnit;
use crate::pending::Target;
use synix_components::FirstParty;
use synix_core::fingerprint::{LayerParts, RequestParts};
use synix_core::json;
use synix_core::request::Ending;
use synix_manifest::{
    BatchSupport, DEFAULT_ROLE, Layer, LayerBody, Pipeline, PipelineError, PipelineErrors,
    TransformLayer, TransformRef, check_config, file_values, replace_values,
};
use synix_sandbox::{Plugin, Sandbox, World};
use synix_sources::{HiddenFiles, ProjectFolder, SourceProblems};

/// What is needed to prepare a pipeline.
pub struct PrepareContext<'a> {
    /// The project's folder.
    pub folder: &'a ProjectFolder,
    /// The sandbox that loads plugins.
    pub sandbox: &'a Sandbox,
    /// The first-party transforms.
    pub transforms: &'a [FirstParty],
    /// The first-party readers.
    pub readers: &'a [FirstParty],
    /// The bytes of all other components, by reference.
    pub components: &'a BTreeMap<String, Vec<u8>>,
    /// Returns whether the environment moved a provider to another URL.
    pub redirected: &'a dyn Fn(&str) -> bool,
}

/// Prepares a pipeline; `file` is its path relative to the project.
pub fn prepare(
    pipeline: &Pipeline,
    file: &str,
    context: &PrepareContext<'_>,
) -> Result<ReadyPipeline, PrepareError> {
    let mut errors = Vec::new();
    let roles = Arc::new(Roles(
        pipeline
            .models
            .iter()
            .filter_map(|(name, role)| {
                let provider = pipeline.providers.get(&role.provider)?;
                let settings = RoleSettings {
                    wire: provider.api,
                    target: Arc::new(Target {
                        provider: role.provider.clone(),
                        model: role.model.clone(),
                    }),
                    max_tokens: role.max_tokens,
                    temperature: role.temperature,
                };
                Some((name.clone(), settings))
            })
            .collect(),
    ));
    let mut preparation = Preparation {
        pipeline,
        context,
        roles: &roles,
        plugins: BTreeMap::new(),
        problems: SourceProblems::default(),
    };
    let mut layers = Vec::new();
    for layer in &pipeline.layers {
        let body = match &layer.body {
            LayerBody::Source {
                glob,
                kind,
                allow_hidden,
            } => ReadyBody::Source {
                glob: glob.clone(),
                kind: kind.clone(),
                hidden: HiddenFiles::allowed_if(*allow_hidden),
            },
            LayerBody::Transform(transform) => {
                let plugin = match preparation.load(layer, transform)? {
                    Ok(plugin) => plugin,
                    Err(error) => {
                        errors.push(error);
                        continue;
                    }
                };
                let found = check(pipeline, layer, &plugin);
                if !found.is_empty() {
                    errors.extend(found);
                    continue;
                }
                let ready = preparation.prepare_transform(layer, transform, plugin);
                ReadyBody::Transform(Arc::new(ready))
            }
        };
        layers.push(ReadyLayer {
            name: layer.name.clone(),
            body,
            allow_hidden: allows_hidden(&layer.body),
        });
    }
    if let Some(errors) = PipelineErrors::new(errors) {
        return Err(PrepareError::Pipeline(errors));
    }
    if let Some(problems) = preparation.problems.into_option() {
        return Err(PrepareError::Files(problems));
    }
    let parts = pipeline_parts(pipeline, &layers);
    Ok(ReadyPipeline {
        file: file.to_owned(),
        layers,
        roles,
        fingerprint: parts.fingerprint(),
        parts,
        max_units: pipeline.max_units,
        max_requests: pipeline.max_requests,
    })
}

fn check(pipeline: &Pipeline, layer: &Layer, plugin: &Plugin) -> Vec<PipelineError> {
    let mut errors = check_config(pipeline, layer, &plugin.descriptor().config_schema);
    if plugin.descriptor().declares_llm() {
        errors.extend(pipeline.llm_error(layer));
    }
    errors
}

/// The state of the preparation.
struct Preparation<'a> {
    pipeline: &'a Pipeline,
    context: &'a PrepareContext<'a>,
    roles: &'a Roles,
    /// Loaded plugins by reference.
    plugins: BTreeMap<String, Plugin>,
    problems: SourceProblems,
}

impl Preparation<'_> {
    fn load(
        &mut self,
        layer: &Layer,
        transform: &TransformLayer,
    ) -> Result<Result<Plugin, PipelineError>, PrepareError> {
        let name = transform.transform.text();
        if let Some(plugin) = self.plugins.get(name) {
            return Ok(Ok(plugin.clone()));
        }
        let bytes = match &transform.transform {
            TransformRef::FirstParty(name) => {
                let mut all = self.context.transforms.iter();
                all.find(|known| known.name == name)
                    .map(|known| Cow::Owned(known.component()))
            }
            TransformRef::File(_) | TransformRef::Url { .. } | TransformRef::Oci { .. } => {
                let bytes = self.context.components.get(name);
                bytes.map(|bytes| Cow::Borrowed(bytes.as_slice()))
            }
        };
        let Some(bytes) = bytes else {
            let known = self.context.transforms.iter().map(|known| known.name);
            return Ok(Err(self.pipeline.unknown_transform_error(layer, known)));
        };
        let plugin =
            self.context
                .sandbox
                .load(name, &bytes)
                .map_err(|source| PrepareError::Plugin {
                    layer: layer.name.to_string(),
                    source: Box::new(source),
                })?;
        self.plugins.insert(name.to_owned(), plugin.clone());
        Ok(Ok(plugin))
    }

    fn prepare_transform(
        &mut self,
        layer: &Layer,
        transform: &TransformLayer,
        plugin: Plugin,
    ) -> ReadyTransform {
        let Self {
            pipeline,
            context,
            roles,
            problems,
            ..
        } = self;
        let is_first_party = matches!(transform.transform, TransformRef::FirstParty(_));
        let values = file_values(&plugin.descriptor().config_schema, &transform.config);
        let ConfigFiles {
            parts: files,
            paths,
            texts,
            blanks,
        } = ConfigFiles::read(context.folder, layer, transform, values, problems);
        let mut config = transform.config.clone();
        replace_values(&mut config, &texts);
        let mut without_files = transform.config.clone();
        replace_values(&mut without_files, &blanks);
        let limits = unit_limits(transform.limits);
        let grants_llm = plugin.descriptor().declares_llm();
        let role = pipeline.role(layer);
        let accept_truncated = transform.accept.contains(&Ending::Truncated);
        let has_batch_api = role.is_some_and(|role| {
            let redirected = (context.redirected)(&role.provider);
            pipeline.batch_support(role, redirected) == BatchSupport::Available
        });
        let role_name = transform
            .model
            .clone()
            .unwrap_or_else(|| DEFAULT_ROLE.to_owned());
        let options_allowed: BTreeSet<String> = transform.options_allowed.iter().cloned().collect();
        let request_parts = RequestParts {
            revision: transform.revision.clone(),
            accept_truncated,
            options_allowed: options_allowed.iter().cloned().collect(),
        };
        // The pipeline file was checked for numbers without a canonical form.
        let canonical = json::canonical(&Value::Object(without_files)).unwrap_or_default();
        let parts = LayerParts {
            contract: Sandbox::first_contract(World::Transform).to_owned(),
            layer: layer.name.to_string(),
            component: plugin.digest(),
            config: canonical,
            files,
            model: grants_llm
                .then(|| roles.0.get(&role_name).map(RoleSettings::parts))
                .flatten(),
            requests: if grants_llm {
                request_parts
            } else {
                RequestParts::default()
            },
            limits: limits.parts(),
        };
        let encoder = parts.encode();
        let requests_per_unit =
            RequestsPerUnit::new(transform, if grants_llm { limits.requests } else { 0 });
        ReadyTransform {
            layer: layer.name.clone(),
            plugin,
            inputs: transform.inputs.clone(),
            config_text: json::canonical_object(config.clone()),
            config,
            limits,
            grants_llm,
            role: role_name,
            revision: transform.revision.clone(),
            accept_truncated,
            // A first-party transform only sets the options in its config.
            options_allowed: (!is_first_party).then_some(options_allowed),
            batch: transform.batch,
            has_batch_api,
            min_batch: transform.min_batch.into(),
            max_units: transform.max_units,
            max_requests: transform.max_requests,
            requests_per_unit,
            parts,
            encoder,
            files: paths,
        }
    }
}

fn allows_hidden(body: &LayerBody) -> bool {
    match body {
        LayerBody::Source { allow_hidden, .. } => *allow_hidden,
        LayerBody::Transform(transform) => transform.allow_hidden,
    }
}
