//! Creates units from artifacts, and decides whether each is fresh or stale.

use std::collections::HashMap;
use std::sync::Arc;

use super::BuildError;
use super::answerer::Answerer;
use super::event::Event;
use super::handle::{Handle, Location};
use super::layer_run::{Unit, inputs_of};
use super::limit_excess::LimitKind;
use super::progress::Freshness;
use super::recorder::Record as _;
use super::scheduler::{Scheduler, Step};
use super::unit::guest_failure;
use synix_core::digest::Digest;
use synix_core::fingerprint::{InputPart, StoredParts, UnitParts};
use synix_core::ids::{InvalidName, UnitKey};
use synix_core::json;
use synix_core::request::RequestKey;
use synix_sandbox::{Shape, UnitSpec};
use synix_store::UnitId;

impl<A: Answerer> Scheduler<'_, A> {
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

    /// Returns the key of the unit that a per-input layer has for an artifact.
    pub(super) fn per_input_key(
        &self,
        layer: usize,
        artifact: &Handle,
    ) -> Result<UnitKey, InvalidName> {
        if self.transform(layer).inputs.len() == 1 {
            return UnitKey::from_stored(artifact.label.as_str());
        }
        let upstream = self.layer_name(artifact.layer);
        UnitKey::from_stored(&format!("{upstream}/{}", artifact.label))
    }
}

impl<A: Answerer> Step<'_, '_, '_, A> {
    /// Creates the units that need only this artifact.
    pub(super) fn spawn_downstream(&mut self, artifact: &Handle) -> Result<(), BuildError> {
        for downstream in self.layers[artifact.layer].downstream.clone() {
            let transform = self.transform(downstream);
            if transform.plugin.descriptor().shape != Shape::PerInput
                || !self.sample.is_built(downstream)
                || self.layers[downstream].unchanged.is_some()
            {
                continue;
            }
            match self.per_input_key(downstream, artifact) {
                Ok(key) => {
                    if !self
                        .scheduler
                        .sample
                        .takes_input(downstream, &key, artifact)
                    {
                        continue;
                    }
                    let spec = UnitSpec {
                        key,
                        inputs: vec![0],
                        config: None,
                    };
                    let inputs = Arc::from([artifact.clone()]);
                    self.spawn(downstream, spec, &inputs, false)?;
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

    pub(super) fn finish_division(&mut self, layer: usize) -> Result<(), BuildError> {
        self.layers[layer].progress.all_units_known();
        self.check_complete(layer)
    }

    pub(super) fn spawn(
        &mut self,
        layer: usize,
        spec: UnitSpec,
        inputs: &Arc<[Handle]>,
        partial: bool,
    ) -> Result<(), BuildError> {
        if !self.try_count(layer, LimitKind::Units, 1) {
            return Ok(());
        }
        let transform = self.transform(layer);
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
            .finished(name, fingerprint, answer_origin, |extra| {
                roles.is_unchanged(extra)
            })?;
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
            repairs: 0,
            waiting: 0,
            counted,
            recorded: None,
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
