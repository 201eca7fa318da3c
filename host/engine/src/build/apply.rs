//! What runs and answers bring: outputs, requests, failures.

use super::BuildError;
use super::answerer::Answerer;
use super::bounds::Counted;
use super::event::Event;
use super::handle::Handle;
use super::progress::Freshness;
use super::recorder::{Entry, Made};
use super::scheduler::{Step, Unit};
use super::unit::{RunEnd, RunOutcome, guest_failure};
use crate::pending::PendingRequest;
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::fingerprint::StoredParts;
use synix_core::ids::UnitKey;
use synix_core::request::{Ending, Failure, FailureKind, OutcomeSummary, RequestKey};
use synix_sandbox::LogLine;
use synix_store::ArtifactId;

impl<A: Answerer> Step<'_, '_, A> {
    /// Takes in the results of a chunk.
    pub(super) fn take_ran(&mut self, results: Vec<RunOutcome>) -> Result<(), BuildError> {
        for ran in results {
            match ran.end {
                RunEnd::Broken(error) => return Err(*error),
                RunEnd::Interrupted => self.interrupt(),
                RunEnd::Failed(failure) => self.fail_unit(ran.unit, &failure)?,
                RunEnd::Suspended => {
                    let roles = self.context.pipeline.roles.extra(&ran.roles);
                    self.suspend(ran.unit, ran.asked, roles.as_deref())?;
                }
                RunEnd::Done { outputs, log } => {
                    let roles = self.context.pipeline.roles.extra(&ran.roles);
                    self.finish(ran.unit, &ran.asked, roles.as_deref(), outputs, &log)?;
                }
            }
        }
        Ok(())
    }

    /// Wakes the units that waited for what has settled.
    pub(super) fn take_settled(
        &mut self,
        settled: Vec<(RequestKey, OutcomeSummary)>,
    ) -> Result<(), BuildError> {
        for (key, settlement) in settled {
            let waiters = self.waiters.remove(&key).unwrap_or_default();
            let asking = waiters.iter().find_map(|unit| self.units[*unit].as_deref());
            if let Some(layer) = asking.map(|unit| unit.layer) {
                self.layers[layer].progress.request_settled();
            }
            match settlement {
                OutcomeSummary::Answered { ending, usage } => {
                    if ending == Ending::Truncated {
                        self.truncated_requests.insert(key, usage);
                    }
                    for unit in waiters {
                        let Some(layer) = self.units[unit].as_deref().map(|unit| unit.layer) else {
                            continue;
                        };
                        let accepted =
                            ending == Ending::Complete || self.transform(layer).accept_truncated;
                        if accepted {
                            self.wake(unit);
                        } else {
                            self.fail_unit(unit, &truncated(usage))?;
                        }
                    }
                }
                OutcomeSummary::Failed(failure) => {
                    for unit in waiters {
                        self.fail_unit(unit, &failure)?;
                    }
                    self.failed_requests.insert(key, failure);
                }
            }
        }
        Ok(())
    }

    fn wake(&mut self, number: usize) {
        let Some(unit) = self.units[number].as_deref_mut() else {
            return;
        };
        unit.waiting = unit.waiting.saturating_sub(1);
        if unit.waiting == 0 {
            self.runnable.push_back(number);
        }
    }

    fn suspend(
        &mut self,
        number: usize,
        asked: Vec<PendingRequest>,
        roles: Option<&str>,
    ) -> Result<(), BuildError> {
        let accepts_truncated = self.transform(self.unit(number).layer).accept_truncated;
        let known_failure = asked
            .iter()
            .filter(|asked| asked.answer.is_none())
            .find_map(|asked| {
                let cut = self
                    .truncated_requests
                    .get(&asked.key)
                    .filter(|_| !accepts_truncated);
                self.failed_requests
                    .get(&asked.key)
                    .cloned()
                    .or_else(|| cut.copied().map(truncated))
            });
        if let Some(failure) = known_failure {
            return self.fail_unit(number, &failure);
        }
        if !self.counts_requests(number, &asked) {
            return Ok(());
        }
        let parts = self.stored_parts(number);
        let inputs = self.stored_inputs(number);
        let entry = Entry {
            roles,
            ..self.entry(number, &parts, &inputs)
        };
        let ids = self.record.suspended(&entry, &asked)?;
        let layer = self.unit(number).layer;
        self.unit_mut(number).transcript = asked.iter().map(|asked| asked.key).collect();
        for (asked, id) in asked.into_iter().zip(ids) {
            if asked.answer.is_some() {
                continue;
            }
            let scheduler = &mut *self.scheduler;
            let waiters = scheduler
                .waiters
                .entry(asked.key)
                // Nearly always one: a list that grows would start with room for four.
                .or_insert_with(|| Vec::with_capacity(1));
            if waiters.contains(&number) {
                continue;
            }
            if waiters.is_empty() {
                scheduler.layers[layer].progress.request_added();
                scheduler.to_ask.push(PendingRequest { id, ..asked });
            }
            waiters.push(number);
            self.unit_mut(number).waiting += 1;
        }
        Ok(())
    }

    /// Counts what a unit asked since its last run; `false`: that is too much, and the build stops.
    fn counts_requests(&mut self, number: usize, asked: &[PendingRequest]) -> bool {
        let Unit { layer, counted, .. } = *self.unit(number);
        let more = asked.len().saturating_sub(counted) as u64;
        if more > 0 && !self.admits(layer, Counted::Requests, more) {
            return false;
        }
        self.unit_mut(number).counted = asked.len().max(counted);
        self.record.answered(layer, asked);
        true
    }

    fn finish(
        &mut self,
        number: usize,
        asked: &[PendingRequest],
        roles: Option<&str>,
        outputs: Vec<(Artifact, Digest)>,
        log: &[LogLine],
    ) -> Result<(), BuildError> {
        if !self.counts_requests(number, asked) {
            return Ok(());
        }
        let layer = self.unit(number).layer;
        let key = self.unit(number).spec.key.clone();
        let taken = outputs.iter().find_map(|(output, _)| {
            let other = self.layers[layer].labels.get(&output.label)?;
            Some(format!(
                "label {} is already made by unit {other}",
                output.label
            ))
        });
        if let Some(taken) = taken {
            return self.fail_unit(number, &guest_failure(taken));
        }
        for line in log {
            (self.context.observer)(&Event::Log {
                layer: self.layer_name(layer).to_owned(),
                unit: key.to_string(),
                level: line.level.to_string(),
                message: line.message.clone(),
            });
        }
        let parts = self.stored_parts(number);
        let inputs = self.stored_inputs(number);
        let entry = Entry {
            roles,
            ..self.entry(number, &parts, &inputs)
        };
        let made = Made {
            outputs: &outputs,
            log,
        };
        let (unit, locations) = self.record.done(&entry, asked, made)?;
        let partial = self.unit(number).partial;
        let handles = outputs
            .into_iter()
            .zip(locations)
            .map(|((output, digest), location)| Handle {
                layer,
                label: output.label,
                digest,
                partial,
                location,
            })
            .collect();
        self.units[number] = None;
        (self.context.observer)(&Event::Done {
            layer: self.layer_name(layer).to_owned(),
            unit: key.to_string(),
        });
        self.settle_made(layer, &key, unit, handles)
    }

    fn fail_unit(&mut self, number: usize, failure: &Failure) -> Result<(), BuildError> {
        let Some(unit) = self.units[number].take() else {
            return Ok(());
        };
        self.record_failure(unit.layer, unit.spec.key.clone(), failure)
    }

    /// Fails a layer that could not even be divided into units.
    pub(super) fn fail_layer(&mut self, layer: usize, failure: &Failure) -> Result<(), BuildError> {
        self.layers[layer].progress.unit_added(Freshness::Stale);
        // A layer's name is a valid unit key: it is shorter and its rule is stricter.
        let key = UnitKey::parse(self.layer_name(layer)).map_err(|error| BuildError::Metadata {
            layer: self.layer_name(layer).to_owned(),
            path: String::new(),
            detail: error.to_string(),
        })?;
        self.record_failure(layer, key, failure)
    }

    /// Records and reports that an open unit failed.
    pub(super) fn record_failure(
        &mut self,
        layer: usize,
        key: UnitKey,
        failure: &Failure,
    ) -> Result<(), BuildError> {
        self.record.failed(layer, &key, failure)?;
        (self.context.observer)(&Event::Failed {
            layer: self.layer_name(layer).to_owned(),
            unit: key.to_string(),
            kind: failure.kind,
            message: failure.message.clone(),
        });
        let run = &mut self.layers[layer];
        run.failed.push(key);
        run.progress.unit_failed();
        self.check_complete(layer)
    }

    fn stored_parts(&self, number: usize) -> String {
        let unit = self.unit(number);
        let parts = StoredParts::new(
            self.transform(unit.layer).parts.clone(),
            self.unit_parts(&unit.spec, &unit.inputs, unit.partial),
        );
        serde_json::to_string(&parts).unwrap_or_default()
    }

    fn stored_inputs(&self, number: usize) -> Vec<Option<ArtifactId>> {
        self.unit(number).inputs().map(Handle::stored).collect()
    }

    fn entry<'e>(
        &'e self,
        number: usize,
        parts: &'e str,
        inputs: &'e [Option<ArtifactId>],
    ) -> Entry<'e> {
        let unit = self.unit(number);
        Entry {
            layer: unit.layer,
            layer_name: self.layer_name(unit.layer),
            key: &unit.spec.key,
            fingerprint: unit.fingerprint,
            parts,
            partial: unit.partial,
            inputs,
            roles: None,
        }
    }
}

fn truncated(usage: synix_core::request::Usage) -> Failure {
    Failure {
        kind: FailureKind::Truncated,
        message: "the answer reached its token limit; raise max_tokens, or let the layer say accept = [\"truncated\"]".to_owned(),
        transient: false,
        usage,
    }
}
