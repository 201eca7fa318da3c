//! Applies the results of runs and requests: outputs, new requests and failures.

use super::BuildError;
use super::answerer::Answerer;
use super::event::Event;
use super::failures::truncated_failure;
use super::handle::Handle;
use super::layer_run::{RecordedRun, Unit};
use super::limit_excess::LimitKind;
use super::recorder::{Record as _, RecordedUnit, Recorder, UnitEntry, UnitResult};
use super::scheduler::Step;
use super::unit::{RunEnd, RunOutcome, RunRequest, guest_failure};
use crate::pending::SettledRequest;
use synix_core::fingerprint::StoredParts;
use synix_core::request::Ending;
use synix_store::ArtifactId;

/// Requests of a run, and each as an answerer gets it.
type RecordedRequests<R> = (Vec<RunRequest>, Vec<R>);

impl<A: Answerer> Step<'_, '_, '_, A> {
    /// Applies the results of a chunk.
    pub(super) fn apply_results(&mut self, results: Vec<RunOutcome>) -> Result<(), BuildError> {
        for outcome in results {
            match outcome.end {
                RunEnd::Fatal(error) => return Err(*error),
                RunEnd::Interrupted => self.interrupt(),
                RunEnd::Postponed => self.runnable.push_back(outcome.unit),
                RunEnd::Failed(failure) => {
                    self.answerer.note_unasked(&outcome.unasked)?;
                    self.fail_unit(outcome.unit, &failure)?;
                }
                RunEnd::Suspended => {
                    self.unit_mut(outcome.unit).repairs = outcome.repairs;
                    let roles = self.context.pipeline.roles.extra_settings(&outcome.roles);
                    self.suspend(outcome.unit, outcome.first, outcome.requests, roles)?;
                }
                RunEnd::Done(result) => {
                    let roles = self.context.pipeline.roles.extra_settings(&outcome.roles);
                    let requests = (outcome.first, outcome.requests.as_slice());
                    self.finish_unit(outcome.unit, requests, roles.as_deref(), result)?;
                }
            }
        }
        Ok(())
    }

    /// Resumes or fails the units that waited for these requests.
    pub(super) fn apply_outcomes(
        &mut self,
        settled: Vec<SettledRequest>,
    ) -> Result<(), BuildError> {
        for (key, outcome) in settled {
            let waiters = self.waiters.remove(&key).unwrap_or_default();
            let asking = waiters.iter().find_map(|unit| self.units[*unit].as_deref());
            if let Some(layer) = asking.map(|unit| unit.layer) {
                self.layers[layer].progress.request_settled();
            }
            match outcome {
                Ok(ending) => {
                    if ending == Ending::Truncated {
                        self.truncated_requests.insert(key);
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
                            self.fail_unit(unit, &truncated_failure())?;
                        }
                    }
                }
                Err(failure) => {
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
        first: usize,
        requests: Vec<RunRequest>,
        roles: Option<String>,
    ) -> Result<(), BuildError> {
        let accepts_truncated = self.transform(self.unit(number).layer).accept_truncated;
        let unanswered = requests.iter().filter(|(_, answer)| answer.is_none());
        let known_failure = unanswered.map(|(pending, _)| pending.key).find_map(|key| {
            match self.failed_requests.get(&key) {
                Some(failure) => Some(failure.clone()),
                None => (!accepts_truncated && self.truncated_requests.contains(&key))
                    .then(truncated_failure),
            }
        });
        if let Some(failure) = known_failure {
            return self.fail_unit(number, &failure);
        }
        if !self.count_requests(number, first, &requests) {
            return Ok(());
        }
        let keys = requests.iter().map(|(pending, _)| pending.key);
        let transcript = &mut self.unit_mut(number).transcript;
        transcript.truncate(first);
        transcript.extend(keys);
        let (requests, recorded) = self.record_suspended(number, first, requests, roles)?;
        let layer = self.unit(number).layer;
        for ((pending, answer), request) in requests.into_iter().zip(recorded) {
            if answer.is_some() {
                continue;
            }
            let scheduler = &mut *self.scheduler;
            let waiters = scheduler
                .waiters
                .entry(pending.key)
                // Nearly always one: a growing list would start with a capacity of four.
                .or_insert_with(|| Vec::with_capacity(1));
            if waiters.contains(&number) {
                continue;
            }
            if waiters.is_empty() {
                scheduler.layers[layer].progress.request_added();
                scheduler.to_enqueue.push(pending.with_request(request));
            }
            waiters.push(number);
            self.unit_mut(number).waiting += 1;
        }
        Ok(())
    }

    /// Records a unit that waits: as a whole, or only what is new since its last suspension. Returns the recorded
    /// requests.
    fn record_suspended(
        &mut self,
        number: usize,
        first: usize,
        mut requests: Vec<RunRequest>,
        roles: Option<String>,
    ) -> Result<RecordedRequests<<A::Recorder as Recorder>::Request>, BuildError> {
        // A unit has many inputs and requests, and each suspension would write all of them.
        let mut continued = None;
        if let Some(earlier) = self.unit_mut(number).recorded.take()
            && earlier.roles.as_deref() == roles.as_deref()
        {
            let known = earlier.answered.saturating_sub(first).min(requests.len());
            let added = self
                .record
                .continued(earlier.unit, first + known, &requests[known..])?;
            if let Some(added) = added {
                requests.drain(..known);
                continued = Some((earlier.unit, first + known, added));
            }
        }
        let (id, first, recorded) = match continued {
            Some(continued) => continued,
            None => {
                let parts = self.stored_parts(number);
                let inputs = self.stored_inputs(number);
                let entry = UnitEntry {
                    roles: roles.as_deref(),
                    ..self.entry(number, &parts, &inputs)
                };
                let (id, recorded) = self.record.suspended(&entry, first, &requests)?;
                (id, first, recorded)
            }
        };
        let answered = requests.iter().take_while(|(_, answer)| answer.is_some());
        self.unit_mut(number).recorded = Some(RecordedRun {
            unit: id,
            requests: first + requests.len(),
            answered: first + answered.count(),
            roles: roles.map(String::into_boxed_str),
        });
        Ok((requests, recorded))
    }

    /// Counts the requests that a unit made since its last run; `false`: they exceed a limit, and the build stops.
    fn count_requests(&mut self, number: usize, first: usize, requests: &[RunRequest]) -> bool {
        let Unit { layer, counted, .. } = *self.unit(number);
        let all = first + requests.len();
        let more = all.saturating_sub(counted) as u64;
        if more > 0 && !self.try_count(layer, LimitKind::Requests, more) {
            return false;
        }
        self.unit_mut(number).counted = all.max(counted);
        self.record.answered(layer, requests);
        true
    }

    fn finish_unit(
        &mut self,
        number: usize,
        (first, requests): (usize, &[RunRequest]),
        roles: Option<&str>,
        result: UnitResult,
    ) -> Result<(), BuildError> {
        if !self.count_requests(number, first, requests) {
            return Ok(());
        }
        let layer = self.unit(number).layer;
        let key = self.unit(number).spec.key.clone();
        let taken = result.outputs.iter().find_map(|(output, _)| {
            let other = self.layers[layer].labels.get(&output.label)?;
            Some(format!(
                "label {} is already used by unit {other}",
                output.label
            ))
        });
        if let Some(taken) = taken {
            return self.fail_unit(number, &guest_failure(taken));
        }
        for line in &result.log {
            (self.context.observer)(&Event::Log {
                layer: self.layer_name(layer).to_owned(),
                unit: key.to_string(),
                level: line.level.to_string(),
                message: line.message.clone(),
            });
        }
        let (unit, locations) = self.record_finished(number, (first, requests), roles, &result)?;
        let partial = self.unit(number).partial;
        let handles = result
            .outputs
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
        self.settle_finished(layer, &key, unit, handles)
    }

    /// Records a finished unit: as a whole, or only what is new since its suspension.
    fn record_finished(
        &mut self,
        number: usize,
        (first, requests): (usize, &[RunRequest]),
        roles: Option<&str>,
        result: &UnitResult,
    ) -> Result<RecordedUnit, BuildError> {
        if let Some(recorded) = self.unit_mut(number).recorded.take()
            && recorded.roles.as_deref() == roles
        {
            let entry = UnitEntry {
                roles,
                ..self.entry(number, "", &[])
            };
            let requests = (first, requests);
            let finished = self.record.finished(&entry, &recorded, requests, result)?;
            if let Some(finished) = finished {
                return Ok(finished);
            }
        }
        let parts = self.stored_parts(number);
        let inputs = self.stored_inputs(number);
        let entry = UnitEntry {
            roles,
            ..self.entry(number, &parts, &inputs)
        };
        Ok(self.record.done(&entry, first, requests, result)?)
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
    ) -> UnitEntry<'e> {
        let unit = self.unit(number);
        UnitEntry {
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
