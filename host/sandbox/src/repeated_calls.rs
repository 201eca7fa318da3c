//! Calls for `plugin check`: `split` with its log, and every function twice in one instance.
//!
//! The caller compares the results.

use super::call::Call;
use super::descriptor::{Descriptor, Shape};
use super::error::PluginError;
use super::fault::Fault;
use super::imports::log::LogLine;
use super::limits::Limits;
use super::model::Model;
use super::split::{self, UnitSpec};
use super::{Header, Plugin, convert};
use synix_core::artifact::Artifact;
use synix_core::json::UnsafeNumber;

const REPETITIONS: usize = 2;

/// The units that a plugin split its inputs into, with the log of the call.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedSplit {
    /// The units; empty for the shape `per-input`, because no build calls its `split`.
    pub units: Vec<UnitSpec>,
    /// The log lines of the call.
    pub log: Vec<LogLine>,
}

/// The results of calling each function of a plugin twice in one instance.
#[derive(Debug)]
pub struct RepeatedCalls {
    /// The results of `describe`.
    pub descriptors: Vec<Descriptor>,
    /// The results of `split`; empty for the shape `per-input`.
    pub splits: Vec<Result<Vec<UnitSpec>, Fault>>,
    /// The results of `execute`.
    pub outputs: Vec<Result<Vec<Artifact>, Fault>>,
}

impl Plugin {
    /// Calls `split`, whatever the shape. `config` is the config of the layer, as the text of a JSON object.
    pub fn split_with_log(
        &self,
        headers: &[Header],
        config: &str,
        limits: &Limits,
    ) -> Result<LoggedSplit, PluginError> {
        let shape = self.descriptor().shape;
        let inputs = headers
            .iter()
            .map(convert::header)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.unsafe_number_error(&error))?;
        let seed = self.seed_of_split(headers, config);
        let call_result = self
            .invocation(limits, seed)
            .invoke_on_new_thread(|transform, store| transform.call_split(store, &inputs, config));
        let finished = call_result.finish(self.name(), limits, |units| {
            let units = units.map_err(convert::transform_error)?;
            if shape == Shape::PerInput {
                return Ok(Vec::new());
            }
            split::check(convert::raw_units(units), headers.len(), shape)
                .map_err(Fault::InvalidSplit)
        })?;
        Ok(LoggedSplit {
            units: finished.value,
            log: finished.log,
        })
    }

    /// Calls `describe`, `split` and `execute` twice each in one instance; `model` must know every answer.
    ///
    /// `config` is the config of the layer; `call.config` includes that of the unit.
    pub fn call_repeatedly<M: Model>(
        &self,
        call: &Call<'_>,
        headers: &[Header],
        config: &str,
        model: M,
    ) -> Result<(RepeatedCalls, M), PluginError> {
        let shape = self.descriptor().shape;
        let converted = || {
            let headers = headers.iter().map(convert::header);
            let inputs = call
                .inputs
                .iter()
                .map(|(artifact, digest)| convert::input(artifact, *digest));
            Ok((
                headers.collect::<Result<Vec<_>, _>>()?,
                convert::unit(call.unit)?,
                inputs.collect::<Result<Vec<_>, _>>()?,
            ))
        };
        let (listed, unit, inputs) =
            converted().map_err(|error: UnsafeNumber| self.unsafe_number_error(&error))?;
        let calls = 1 + 3 * u32::try_from(REPETITIONS).unwrap_or(u32::MAX);
        let limits = Limits {
            fuel: call.limits.fuel.saturating_mul(calls.into()),
            requests: call.limits.requests.saturating_mul(calls),
            ..call.limits.clone()
        };
        let granted = self.descriptor().allowed(call.grants);
        let invocation = self.invocation(&limits, self.seed_of_execute(call));
        let (call_result, model) = invocation.invoke(model, granted, |transform, mut store| {
            let (mut descriptors, mut splits, mut runs) = (vec![], vec![], vec![]);
            for _ in 0..REPETITIONS {
                descriptors.push(transform.call_describe(&mut store)?);
            }
            for _ in 0..REPETITIONS {
                if shape != Shape::PerInput {
                    splits.push(transform.call_split(&mut store, &listed, config)?);
                }
            }
            for _ in 0..REPETITIONS {
                runs.push(transform.call_execute(&mut store, &unit, &inputs, call.config)?);
            }
            // The calls since the first `describe` must not change its result.
            descriptors.push(transform.call_describe(&mut store)?);
            Ok((descriptors, splits, runs))
        });
        let finished =
            call_result.finish(self.name(), &limits, |(descriptors, splits, runs)| {
                let descriptor_results = descriptors.into_iter().map(|raw| {
                    convert::raw_descriptor(raw)
                        .check()
                        .map_err(Fault::InvalidDescriptor)
                });
                let split_results = splits.into_iter().map(|units| {
                    let units = units.map_err(convert::transform_error)?;
                    split::check(convert::raw_units(units), headers.len(), shape)
                        .map_err(Fault::InvalidSplit)
                });
                let output_results = runs.into_iter().map(|outputs| {
                    convert::artifacts(outputs.map_err(convert::transform_error)?, &limits)
                });
                Ok(RepeatedCalls {
                    descriptors: descriptor_results.collect::<Result<_, _>>()?,
                    splits: split_results.collect(),
                    outputs: output_results.collect(),
                })
            })?;
        Ok((finished.value, model))
    }

    fn unsafe_number_error(&self, error: &UnsafeNumber) -> PluginError {
        self.plugin_error(Fault::Host {
            detail: error.to_string(),
        })
    }
}
