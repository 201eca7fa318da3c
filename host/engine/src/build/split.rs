//! Divides the inputs of a layer into units, as its plugin decides.

use std::sync::Arc;

use super::BuildError;
use super::answerer::Answerer;
use super::handle::{Handle, Location};
use super::scheduler::Scheduler;
use super::unit::guest_failure;
use synix_core::causes::with_causes;
use synix_sandbox::{Header, PluginError};

impl<A: Answerer> Scheduler<'_, A> {
    /// Divides all inputs of a layer into units, as its plugin decides.
    pub(super) fn spawn_by_split(&mut self, layer: usize) -> Result<(), BuildError> {
        let transform = self.transform(layer);
        let mut inputs: Vec<Handle> = transform
            .inputs
            .iter()
            .flat_map(|input| &self.layers[*input].artifacts)
            .filter(|artifact| self.sample.shows(layer, artifact))
            .cloned()
            .collect();
        inputs.sort_by(|left, right| {
            left.label
                .cmp(&right.label)
                .then(left.layer.cmp(&right.layer))
        });
        let missing = self.failed_upstream(layer);
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
                    for spec in step.scheduler.sample.choose(layer, specs) {
                        // It is unknown which unit would have the missing input: any of them may be partial.
                        step.spawn(layer, spec, &inputs, missing.is_some())?;
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
            (Location::Spooled(spool, range), _) => {
                let found = spool.header(*range).map_err(BuildError::spool_damaged)?;
                Ok(Header {
                    label: input.label.clone(),
                    kind: found.kind,
                    digest: input.digest,
                    metadata: found.metadata,
                })
            }
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
}
