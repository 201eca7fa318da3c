//! Calls that only a check makes: `split` whatever the shape, and every function twice in one instance.
//!
//! What to think of the results is for the caller.

use super::call::Call;
use super::descriptor::{Descriptor, Shape};
use super::error::{Fault, PluginError};
use super::imports::log::LogLine;
use super::limits::Limits;
use super::model::Model;
use super::split::{self, UnitSpec};
use super::{Header, Plugin, convert};
use synix_core::artifact::Artifact;
use synix_core::json::UnsafeNumber;

/// How often each function is called in one instance.
const TIMES: usize = 2;

/// The units that a plugin divided its inputs into, and what it logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Division {
    /// The units; empty for the shape `per-input`, whose `split` no build asks.
    pub units: Vec<UnitSpec>,
    /// What it logged.
    pub log: Vec<LogLine>,
}

/// What a plugin gave when each of its functions was called twice in one instance.
#[derive(Debug)]
pub struct RepeatedCalls {
    /// What it said of itself.
    pub descriptors: Vec<Descriptor>,
    /// How it divided the inputs; nothing for the shape `per-input`.
    pub divisions: Vec<Result<Vec<UnitSpec>, Fault>>,
    /// What it made of the unit.
    pub outputs: Vec<Result<Vec<Artifact>, Fault>>,
}

impl Plugin {
    /// Calls `split` whatever the shape; `config` is the layer's, a JSON object as text.
    pub fn divide(
        &self,
        headers: &[Header],
        config: &str,
        limits: &Limits,
    ) -> Result<Division, PluginError> {
        let shape = self.descriptor().shape;
        let inputs = headers
            .iter()
            .map(convert::header)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.unsafe_number(&error))?;
        let seed = self.seed_of_split(headers, config);
        let ended = self
            .entry(limits, seed)
            .enter_aside(|transform, store| transform.call_split(store, &inputs, config));
        let settled = ended.settle(self.name(), limits, |units| {
            let units = units.map_err(convert::transform_error)?;
            if shape == Shape::PerInput {
                return Ok(Vec::new());
            }
            split::check(convert::claimed_units(units), headers.len(), shape)
                .map_err(Fault::InvalidSplit)
        })?;
        Ok(Division {
            units: settled.value,
            log: settled.log,
        })
    }

    /// Calls `describe`, `split` and `execute` twice each in one instance; `model` must know every answer.
    ///
    /// `config` is the layer's, that of `call` has the unit's additions.
    pub fn call_repeatedly<M: Model>(
        &self,
        call: &Call<'_>,
        headers: &[Header],
        config: &str,
        model: M,
    ) -> Result<(RepeatedCalls, M), PluginError> {
        let shape = self.descriptor().shape;
        let crossed = || {
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
            crossed().map_err(|error: UnsafeNumber| self.unsafe_number(&error))?;
        let calls = 1 + 3 * u32::try_from(TIMES).unwrap_or(u32::MAX);
        let limits = Limits {
            fuel: call.limits.fuel.saturating_mul(calls.into()),
            requests: call.limits.requests.saturating_mul(calls),
            ..call.limits.clone()
        };
        let granted = call.grants_llm && self.descriptor().declares_llm();
        let entry = self.entry(&limits, self.seed_of_execute(call));
        let (ended, model) = entry.enter(model, granted, |transform, mut store| {
            let (mut descriptors, mut divisions, mut runs) = (vec![], vec![], vec![]);
            for _ in 0..TIMES {
                descriptors.push(transform.call_describe(&mut store)?);
            }
            for _ in 0..TIMES {
                if shape != Shape::PerInput {
                    divisions.push(transform.call_split(&mut store, &listed, config)?);
                }
            }
            for _ in 0..TIMES {
                runs.push(transform.call_execute(&mut store, &unit, &inputs, call.config)?);
            }
            // What was called since may not show either.
            descriptors.push(transform.call_describe(&mut store)?);
            Ok((descriptors, divisions, runs))
        });
        let settled = ended.settle(self.name(), &limits, |(descriptors, divisions, runs)| {
            let described = descriptors.into_iter().map(|claimed| {
                convert::claimed_descriptor(claimed)
                    .check()
                    .map_err(Fault::BadDescriptor)
            });
            let divided = divisions.into_iter().map(|units| {
                let units = units.map_err(convert::transform_error)?;
                split::check(convert::claimed_units(units), headers.len(), shape)
                    .map_err(Fault::InvalidSplit)
            });
            let made = runs.into_iter().map(|outputs| {
                convert::artifacts(outputs.map_err(convert::transform_error)?, &limits)
            });
            Ok(RepeatedCalls {
                descriptors: described.collect::<Result<_, _>>()?,
                divisions: divided.collect(),
                outputs: made.collect(),
            })
        })?;
        Ok((settled.value, model))
    }

    fn unsafe_number(&self, error: &UnsafeNumber) -> PluginError {
        self.fails(Fault::Host {
            detail: error.to_string(),
        })
    }
}
