//! Prepares a parsed pipeline: loads plugins, checks configs and reads the files that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::config_files::ConfigFiles;
use super::layer_settings::{pipeline_parts, unit_limits};
use super::layers::{
    ReadyBody, ReadyLayer, ReadyPipeline, ReadyReader, ReadyTransform, RoleSettings, Roles,
};
use super::prepare_error::PrepareError;
use super::requests_per_unit::RequestsPerUnit;
use super::trial::LabelRule;
use crate::pending::Target;
use synix_components::FirstParty;
use synix_core::digest::Digest;
use synix_core::fingerprint::{LayerParts, RequestParts};
use synix_core::json;
use synix_core::request::Ending;
use synix_manifest::{
    BatchSupport, DEFAULT_ROLE, Layer, LayerBody, Pipeline, PipelineErrors, PluginRef, Read,
    ReaderLayer, SourceLayer, TransformLayer, file_values, replace_values,
};
use synix_sandbox::{Grants, Plugin, ReaderPlugin, Sandbox, World};
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
    /// Whether the bytes of transforms are kept, for [`BuildOptions::engine`](super::BuildOptions::engine).
    pub keep_components: bool,
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
                    context_window: role.context_window,
                    dimensions: role.dimensions,
                };
                Some((name.clone(), settings))
            })
            .collect(),
    ));
    let mut preparation = Preparation {
        pipeline,
        context,
        roles: &roles,
        transforms: BTreeMap::new(),
        kept: BTreeMap::new(),
        problems: SourceProblems::default(),
    };
    let mut layers = Vec::new();
    for layer in &pipeline.layers {
        let body = match &layer.body {
            LayerBody::Source(source) => match &source.read {
                Read::Texts(kind) => ReadyBody::Texts {
                    globs: source.globs.clone(),
                    kind: kind.clone(),
                    hidden: HiddenFiles::allowed_if(source.allow_hidden),
                },
                Read::Plugin(reader) => {
                    let plugin = match preparation.load_reader(layer, reader)? {
                        Ok(plugin) => plugin,
                        Err(found) => {
                            errors.extend(found);
                            continue;
                        }
                    };
                    let ready = preparation.prepare_reader(layer, source, reader, plugin);
                    ReadyBody::Reader(Arc::new(ready))
                }
            },
            LayerBody::Transform(transform) => {
                let plugin = match preparation.load_transform(layer, transform)? {
                    Ok(plugin) => plugin,
                    Err(found) => {
                        errors.extend(found);
                        continue;
                    }
                };
                let ready = preparation.prepare_transform(layer, transform, plugin);
                ReadyBody::Transform(Arc::new(ready))
            }
        };
        layers.push(ReadyLayer {
            name: layer.name.clone(),
            body,
            allow_hidden: layer.allow_hidden(),
        });
    }
    if let Some(errors) = PipelineErrors::new(errors) {
        return Err(PrepareError::Pipeline(errors));
    }
    if let Some(problems) = preparation.problems.into_option() {
        return Err(PrepareError::Files(problems));
    }
    let components = preparation.kept;
    let parts = pipeline_parts(pipeline, &layers);
    Ok(ReadyPipeline {
        file: file.to_owned(),
        layers,
        roles,
        fingerprint: parts.fingerprint(),
        parts,
        components,
        max_units: pipeline.max_units,
        max_requests: pipeline.max_requests,
    })
}

/// The state of the preparation.
pub(super) struct Preparation<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) context: &'a PrepareContext<'a>,
    roles: &'a Roles,
    /// Loaded transforms by reference.
    pub(super) transforms: BTreeMap<String, Plugin>,
    /// The bytes of transforms, if they are kept.
    pub(super) kept: BTreeMap<Digest, Arc<[u8]>>,
    problems: SourceProblems,
}

impl Preparation<'_> {
    fn prepare_reader(
        &mut self,
        layer: &Layer,
        source: &SourceLayer,
        reader: &ReaderLayer,
        plugin: ReaderPlugin,
    ) -> ReadyReader {
        let values = file_values(&plugin.descriptor().config_schema, &reader.config);
        let folder = self.context.folder;
        let files = ConfigFiles::read(folder, (layer, None), values, &mut self.problems);
        let (mut config, mut without_files) = (reader.config.clone(), reader.config.clone());
        replace_values(&mut config, &files.texts);
        replace_values(&mut without_files, &files.blanks);
        let limits = unit_limits(reader.limits);
        let parts = LayerParts {
            contract: Sandbox::first_contract(World::Reader).to_owned(),
            layer: layer.name.to_string(),
            component: plugin.digest(),
            // The pipeline file was checked for numbers without a canonical form.
            config: json::canonical(&Value::Object(without_files)).unwrap_or_default(),
            files: files.parts,
            model: None,
            requests: RequestParts::default(),
            limits: limits.parts(),
        };
        ReadyReader {
            layer: layer.name.clone(),
            globs: source.globs.clone(),
            hidden: HiddenFiles::allowed_if(source.allow_hidden),
            plugin,
            config_text: json::canonical_object(config),
            limits,
            on_duplicate: reader.on_duplicate,
            encoder: parts.encode(),
            parts,
        }
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
        let is_first_party = matches!(transform.transform, PluginRef::FirstParty(_));
        let prompt = pipeline.prompt_files.get(layer.name.as_str());
        let label_rule = match &transform.transform {
            PluginRef::FirstParty(name) => LabelRule::of(name, &transform.config),
            PluginRef::File(_) | PluginRef::Url { .. } | PluginRef::Oci { .. } => {
                LabelRule::UNKNOWN
            }
        };
        let values = file_values(&plugin.descriptor().config_schema, &transform.config);
        let ConfigFiles {
            parts: files,
            paths,
            texts,
            blanks,
        } = ConfigFiles::read(context.folder, (layer, prompt), values, problems);
        let mut config = transform.config.clone();
        replace_values(&mut config, &texts);
        let mut without_files = transform.config.clone();
        replace_values(&mut without_files, &blanks);
        let limits = unit_limits(transform.limits);
        let descriptor = plugin.descriptor();
        let grants = Grants {
            llm: descriptor.declares_llm(),
            embed: descriptor.declares_embed(),
        };
        let role = pipeline.role(layer);
        let accept_truncated = transform.accept.contains(&Ending::Truncated);
        let has_batch_api = role.is_some_and(|role| {
            let redirected = (context.redirected)(&role.provider);
            let only_embeds = grants.embed && !grants.llm;
            let profile = pipeline.providers.get(&role.provider);
            let batch_api = profile.and_then(|profile| profile.batch_api);
            pipeline.batch_support(role, redirected) == BatchSupport::Available
                && (!only_embeds || batch_api.unwrap_or_default().has_embeddings())
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
            model: grants
                .any()
                .then(|| roles.0.get(&role_name).map(|role| role.parts_for(grants)))
                .flatten(),
            requests: if grants.any() {
                request_parts
            } else {
                RequestParts::default()
            },
            limits: limits.parts(),
        };
        let encoder = parts.encode();
        let requests_per_unit =
            RequestsPerUnit::new(transform, if grants.any() { limits.requests } else { 0 });
        ReadyTransform {
            layer: layer.name.clone(),
            plugin,
            inputs: transform.inputs.clone(),
            config_text: json::canonical_object(config.clone()),
            config,
            limits,
            grants,
            role: role_name,
            revision: transform.revision.clone(),
            accept_truncated,
            repair: transform.repair,
            // A first-party transform only sets the options in its config.
            options_allowed: (!is_first_party).then_some(options_allowed),
            batch: transform.batch,
            has_batch_api,
            min_batch: transform.min_batch.into(),
            max_units: transform.max_units,
            max_requests: transform.max_requests,
            label_rule,
            requests_per_unit,
            parts,
            encoder,
            files: paths,
        }
    }
}
