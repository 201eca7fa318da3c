//! Creates units from artifacts, and decides whether each is fresh or stale.

use std::collections::HashMap;
use std::sync::Arc;

use super::BuildError;
use super::answerer::Answerer;
use super::event::Event;
use super::handle::{Handle, Location};
use super::layers::ReadyTransform;
use super::limits::LimitKind;
use super::progress::Freshness;
use super::recorder::Record as _;
use super::scheduler::{Scheduler, Step, Unit, inputs_of};
use super::unit::guest_failure;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::fingerprint::{InputPart, StoredParts, UnitParts};
use synix_core::ids::UnitKey;
use synix_core::json;
use synix_core::request::RequestKey;
use synix_sandbox::{Header, PluginError, Shape, UnitSpec};
use synix_store::UnitId;

impl<A: Answerer> Scheduler<'_, A> {
    /// Divides all inputs of a layer into units, as its plugin decides.
    pub(super) fn spawn_by_split(&mut self, layer: usize) -> Result<(), BuildError> {
        let transform = self.transform(layer);
        let mut inputs: Vec<Handle> = transform
            .inputs
            .iter()
            .flat_map(|input| self.layers[*input].artifacts.iter().cloned())
            .collect();
        inputs.sort_by(|left, right| {
            left.label
                .cmp(&right.label)
                .then(left.layer.cmp(&right.layer))
        });
        let missing = self.failed_upstream(&transform);
        if let Some(missing) = &missing
            && (!self.context.allow_partial || inputs.is_empty())
        {
            return self.in_transaction(|step| {
                step.hold_back_layer(layer, missing)?;
                step.finish_division(layer)
            });
        }
        let mut headers = Vec::with_capacity(inputs.len());
        for input in &inputs {
            headers.push(self.header(input)?);
        }
        let most = self.remaining_units(layer);
        let (config, limits) = (&transform.config_text, &transform.limits);
        let specs = transform
            .plugin
            .split_at_most(&headers, config, limits, most);
        drop(headers);
        if let Some(count) = specs.as_ref().err().and_then(PluginError::too_many_units) {
            self.report_too_many_units(layer, count);
            return Ok(());
        }
        if specs.as_ref().is_err_and(PluginError::is_interrupted) {
            self.interrupt();
            return Ok(());
        }
        let inputs: Arc<[Handle]> = inputs.into();
        self.in_transaction(|step| {
            match specs {
                Ok(specs) => {
                    for spec in specs {
                        // It is unknown which unit would have the missing input: any of them may be partial.
                        step.spawn(layer, &transform, spec, &inputs, missing.is_some())?;
                    }
                }
                Err(error) => {
                    step.fail_layer(layer, &guest_failure(with_causes(&error)))?;
                }
            }
            step.finish_division(layer)
        })
    }

    fn header(&self, input: &Handle) -> Result<Header, BuildError> {
        let header = |artifact: &synix_core::artifact::Artifact| Header {
            label: artifact.label.clone(),
            kind: artifact.kind.clone(),
            digest: input.digest,
            metadata: artifact.metadata.clone(),
        };
        match (&input.location, self.context.reader) {
            (Location::Memory(artifact), _) => Ok(header(artifact)),
            (Location::File(file), _) => Ok(Header {
                label: input.label.clone(),
                kind: file.kind.clone(),
                digest: input.digest,
                metadata: file.metadata.clone(),
            }),
            (Location::Stored(id), Some(reader)) => {
                let (kind, metadata) = reader.artifact_header(*id)?;
                Ok(Header {
                    label: input.label.clone(),
                    kind,
                    digest: input.digest,
                    metadata,
                })
            }
            (Location::Stored(id), None) => {
                Err(BuildError::Store(synix_store::StoreError::Unusable {
                    what: "artifact",
                    detail: format!("{} without a state", id.0),
                }))
            }
        }
    }

    /// Returns what a unit's fingerprint covers. Computed when needed, because storing it would double the size of each unit.
    pub(super) fn unit_parts(
        &self,
        spec: &UnitSpec,
        inputs: &[Handle],
        partial: bool,
    ) -> UnitParts {
        UnitParts {
            key: spec.key.to_string(),
            // Such a unit failed when it was created.
            config: config_text(spec).unwrap_or_default(),
            inputs: inputs_of(spec, inputs)
                .map(|input| InputPart {
                    name: format!("{}/{}", self.layer_name(input.layer), input.label),
                    digest: input.digest,
                })
                .collect(),
            partial,
        }
    }
}

impl<A: Answerer> Step<'_, '_, '_, A> {
    /// Creates the units that need only this artifact.
    pub(super) fn spawn_downstream(&mut self, artifact: &Handle) -> Result<(), BuildError> {
        for downstream in self.layers[artifact.layer].downstream.clone() {
            let transform = self.transform(downstream);
            if transform.plugin.descriptor().shape != Shape::PerInput {
                continue;
            }
            let key = if transform.inputs.len() == 1 {
                artifact.label.to_string()
            } else {
                format!("{}/{}", self.layer_name(artifact.layer), artifact.label)
            };
            match UnitKey::from_stored(&key) {
                Ok(key) => {
                    let spec = UnitSpec {
                        key,
                        inputs: vec![0],
                        config: None,
                    };
                    let inputs = Arc::from([artifact.clone()]);
                    self.spawn(downstream, &transform, spec, &inputs, false)?;
                }
                Err(error) => self.fail_layer(downstream, &guest_failure(error.to_string()))?,
            }
        }
        Ok(())
    }

    /// Continues downstream if the layer is now complete.
    pub(super) fn check_complete(&mut self, layer: usize) -> Result<(), BuildError> {
        if !self.layers[layer].progress.try_complete() {
            return Ok(());
        }
        // Memory is proportional to the work in flight, and no more units will be looked up.
        let name = self.layer_name(layer);
        self.previous.release(name);
        self.layers[layer].labels = HashMap::new();
        self.report_layer(layer);
        let progress = &self.layers[layer].progress;
        (self.context.observer)(&Event::Units {
            layer: self.layer_name(layer).to_owned(),
            fresh: progress.fresh(),
            stale: progress.stale(),
        });
        for downstream in self.layers[layer].downstream.clone() {
            let transform = self.transform(downstream);
            if !transform
                .inputs
                .iter()
                .all(|input| self.layers[*input].progress.is_complete())
            {
                continue;
            }
            let progress = &mut self.layers[downstream].progress;
            if progress.is_divided() {
                continue;
            }
            progress.division_started();
            if transform.plugin.descriptor().shape == Shape::PerInput {
                self.hold_back_dependants(downstream, &transform)?;
                self.finish_division(downstream)?;
            } else {
                // A guest divides it. That must not happen here, because other processes wait for this transaction.
                self.to_split.push_back(downstream);
            }
        }
        Ok(())
    }

    fn finish_division(&mut self, layer: usize) -> Result<(), BuildError> {
        self.layers[layer].progress.all_units_known();
        self.check_complete(layer)
    }

    fn spawn(
        &mut self,
        layer: usize,
        transform: &Arc<ReadyTransform>,
        spec: UnitSpec,
        inputs: &Arc<[Handle]>,
        partial: bool,
    ) -> Result<(), BuildError> {
        if !self.try_count(layer, LimitKind::Units, 1) {
            return Ok(());
        }
        let name = self.layer_name(layer);
        if let Err(error) = config_text(&spec) {
            self.layers[layer].progress.unit_added(Freshness::Stale);
            return self.record_failure(layer, spec.key, &guest_failure(error.to_string()));
        }
        let partial = partial || inputs_of(&spec, inputs).any(|input| input.partial);
        let parts = self.unit_parts(&spec, inputs, partial);
        let fingerprint = parts.fingerprint(&transform.encoder);
        let roles = Arc::clone(&self.context.pipeline.roles);
        let answer_origin = self.context.answer_origin;
        let finished = self
            .previous
            .finished(name, fingerprint, realm, |extra| roles.is_unchanged(extra))?;
        if let Some((id, outputs)) = finished {
            let handles: Vec<Handle> = outputs
                .into_iter()
                .map(|output| Handle {
                    layer,
                    label: output.label,
                    digest: output.digest,
                    partial,
                    location: Location::Stored(output.id),
                })
                .collect();
            self.layers[layer].progress.unit_added(Freshness::Fresh);
            return self.settle_finished(layer, &spec.key, Some(id), handles);
        }
        let transcript = self.earlier_transcript(fingerprint)?;
        // Requests of an earlier command count before any new request.
        let counted = transcript.len();
        if counted > 0 && !self.try_count(layer, LimitKind::Requests, counted as u64) {
            return Ok(());
        }
        let (record, previous) = (self.record, &mut self.previous);
        record.stale(layer, &spec.key, || {
            let now = StoredParts::new(transform.parts.clone(), parts);
            previous.reasons(name, spec.key.as_str(), &now, &roles)
        })?;
        self.layers[layer].progress.unit_added(Freshness::Stale);
        let number = self.units.len();
        self.runnable.push_back(number);
        self.units.push(Some(Box::new(Unit {
            layer,
            spec: Arc::new(spec),
            inputs: Arc::clone(inputs),
            partial,
            fingerprint,
            transcript,
            waiting: 0,
            counted,
        })));
        Ok(())
    }

    /// Returns the requests of an unfinished unit under `fingerprint`.
    fn earlier_transcript(&self, fingerprint: Digest) -> Result<Vec<RequestKey>, BuildError> {
        let Some(reader) = self.context.reader else {
            return Ok(Vec::new());
        };
        let Some(open) = reader.open_unit(fingerprint, self.context.answer_origin)? else {
            return Ok(Vec::new());
        };
        if self
            .context
            .pipeline
            .roles
            .is_unchanged(open.roles.as_deref())
        {
            return Ok(open.transcript);
        }
        // It used another model then, so different requests now are not nondeterminism.
        self.record.retire(open.id)?;
        Ok(Vec::new())
    }

    /// Settles a unit that has its artifacts, or fails it if another unit has one of the labels.
    pub(super) fn settle_finished(
        &mut self,
        layer: usize,
        key: &UnitKey,
        unit: Option<UnitId>,
        artifacts: Vec<Handle>,
    ) -> Result<(), BuildError> {
        let run = &mut self.layers[layer];
        for artifact in &artifacts {
            if let Some(other) = run.labels.get(&artifact.label) {
                let message = format!("label {} is already used by unit {other}", artifact.label);
                return self.record_failure(layer, key.clone(), &guest_failure(message));
            }
        }
        for artifact in &artifacts {
            run.labels.insert(artifact.label.clone(), key.clone());
        }
        run.done_units.push((key.clone(), unit));
        run.progress.unit_done();
        for artifact in artifacts {
            self.spawn_downstream(&artifact)?;
            if self.layers[layer].is_gathered {
                self.layers[layer].artifacts.push(artifact);
            }
        }
        self.check_complete(layer)
    }
}

/// Returns a unit's additions to the config as canonical JSON.
fn config_text(spec: &UnitSpec) -> Result<Option<String>, json::UnsafeNumber> {
    let config = spec.config.clone().map(serde_json::Value::Object);
    config.as_ref().map(json::canonical).transpose()
}
