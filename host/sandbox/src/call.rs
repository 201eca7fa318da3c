//! Calls into a plugin, each in a fresh instance.

use super::descriptor::Shape;
use super::error::PluginError;
use super::fault::Fault;
use super::imports::State;
use super::imports::log::LogLine;
use super::invocation::Invocation;
use super::limits::Limits;
use super::model::{Grants, Model, Refusal};
use super::split::{self, UnitSpec};
use super::{Header, Plugin, convert};
use synix_contract::bindings::TransformPre;
use synix_core::artifact::Artifact;
use synix_core::digest::{Digest, Encoder};

/// The arguments of [`Plugin::execute`].
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The unit to run.
    pub unit: &'a UnitSpec,
    /// The inputs in the unit's order, each with its digest.
    pub inputs: &'a [(Artifact, Digest)],
    /// The layer's config merged with that of the unit, as the text of a JSON object.
    pub config: &'a str,
    /// The limits of the call.
    pub limits: &'a Limits,
    /// The capabilities that the pipeline grants.
    pub grants: Grants,
}

/// How a run of a unit ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Run {
    /// The unit is complete.
    Done {
        /// The unit's outputs, checked.
        outputs: Vec<Artifact>,
        /// The log lines of the run.
        log: Vec<LogLine>,
    },
    /// The unit waits for an answer. When the answer is known, the caller runs the unit again from its start.
    Suspended,
}

/// The result of one run of a unit.
#[derive(Debug)]
pub struct Execution<M> {
    /// How the run ended.
    pub run: Result<Run, PluginError>,
    /// The approximate number of instructions; it is the same on every machine.
    pub fuel: u64,
    /// The last refusal of the host, even if the plugin ignored it.
    pub refusal: Option<Refusal>,
    /// The model that the caller passed.
    pub model: M,
}

impl Plugin {
    /// Splits inputs into units. `config` is the config of the layer, as the text of a JSON object.
    pub fn split(
        &self,
        headers: &[Header],
        config: &str,
        limits: &Limits,
    ) -> Result<Vec<UnitSpec>, PluginError> {
        self.split_at_most(headers, config, limits, u64::MAX)
    }

    /// Splits inputs into at most `max_units` units. If there are more, the error has their number.
    pub fn split_at_most(
        &self,
        headers: &[Header],
        config: &str,
        limits: &Limits,
        max_units: u64,
    ) -> Result<Vec<UnitSpec>, PluginError> {
        let shape = self.descriptor().shape;
        if shape == Shape::PerInput {
            return split::per_input(headers.iter().map(|header| &header.label))
                .map_err(|invalid| self.plugin_error(Fault::InvalidSplit(invalid)));
        }
        let inputs = headers
            .iter()
            .map(convert::header)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                self.plugin_error(Fault::Host {
                    detail: error.to_string(),
                })
            })?;
        let seed = self.seed_of_split(headers, config);
        let call_result = self
            .invocation(limits, seed)
            .invoke_on_new_thread(|transform, store| transform.call_split(store, &inputs, config));
        let units = call_result.finish(self.name(), limits, |units| {
            let units = units.map_err(convert::transform_error)?;
            let count = units.len() as u64;
            if count > max_units {
                return Err(Fault::TooManyUnits {
                    count,
                    limit: max_units,
                });
            }
            let raw = convert::raw_units(units);
            split::check(raw, headers.len(), shape).map_err(Fault::InvalidSplit)
        })?;
        Ok(units.value)
    }

    /// Runs one unit; `model` answers its requests.
    pub fn execute<M: Model>(&self, call: &Call<'_>, model: M) -> Execution<M> {
        let converted = || {
            let inputs = call
                .inputs
                .iter()
                .map(|(artifact, digest)| convert::input(artifact, *digest));
            Ok((
                convert::unit(call.unit)?,
                inputs.collect::<Result<Vec<_>, _>>()?,
            ))
        };
        let (unit, inputs) = match converted() {
            Ok(converted) => converted,
            Err(error) => {
                let error: synix_core::json::UnsafeNumber = error;
                let detail = error.to_string();
                return Execution {
                    run: Err(self.plugin_error(Fault::Host { detail })),
                    fuel: 0,
                    refusal: None,
                    model,
                };
            }
        };
        let granted = self.descriptor().allowed(call.grants);
        let invocation = self.invocation(call.limits, self.seed_of_execute(call));
        let (call_result, model) = invocation.invoke(model, granted, |transform, store| {
            transform.call_execute(store, &unit, &inputs, call.config)
        });
        let fuel = call.limits.fuel.saturating_sub(call_result.fuel_left);
        let refusal = call_result.refusal.clone();
        let run = if call_result.is_suspended() {
            Ok(Run::Suspended)
        } else {
            let finished = call_result.finish(self.name(), call.limits, |outputs| {
                convert::artifacts(outputs.map_err(convert::transform_error)?, call.limits)
            });
            finished.map(|done| Run::Done {
                outputs: done.value,
                log: done.log,
            })
        };
        Execution {
            run,
            fuel,
            refusal,
            model,
        }
    }

    /// Prepares a call of this plugin, whose random bytes follow from `seed`.
    pub(super) fn invocation<'a>(
        &'a self,
        limits: &'a Limits,
        seed: Digest,
    ) -> Invocation<'a, TransformPre<State>> {
        Invocation {
            linked: &self.loaded.linked,
            interruption: &self.loaded.shared.interruption,
            limits,
            seed,
        }
    }

    /// Returns the seed for a call of `split`.
    pub(super) fn seed_of_split(&self, headers: &[Header], config: &str) -> Digest {
        self.seed("synix.split.v1", |encoder| {
            let encoder = encoder.text(config).list(headers.len());
            headers
                .iter()
                .fold(encoder, |encoder, header| encoder.digest(header.digest))
        })
    }

    /// Returns the seed for a call of `execute`.
    pub(super) fn seed_of_execute(&self, call: &Call<'_>) -> Digest {
        self.seed("synix.execute.v1", |encoder| {
            let encoder = encoder
                .text(call.unit.key.as_str())
                .text(call.config)
                .list(call.inputs.len());
            call.inputs
                .iter()
                .fold(encoder, |encoder, (_, digest)| encoder.digest(*digest))
        })
    }

    /// Derives the seed of a call's random bytes from all arguments of the call. Only WASI has random bytes, so a
    /// plugin that does not import it needs no such digest.
    fn seed(&self, scheme: &str, encode: impl FnOnce(Encoder) -> Encoder) -> Digest {
        if self.loaded.needs_wasi {
            encode(Encoder::new(scheme).digest(self.digest())).finish()
        } else {
            self.digest()
        }
    }

    pub(super) fn plugin_error(&self, fault: Fault) -> PluginError {
        PluginError::new(Some(self.name()), fault)
    }
}
