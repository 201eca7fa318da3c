//! Records what is known of the files of a layer, and what its reader made of the others.

use super::{FileOutput, FileResult, Files, StaleFile};
use crate::build::BuildError;
use crate::build::answerer::Answerer;
use crate::build::event::Event;
use crate::build::handle::{Handle, Location};
use crate::build::layers::ReadyReader;
use crate::build::progress::Freshness;
use crate::build::recorder::{Record as _, UnitEntry};
use crate::build::scheduler::Step;
use synix_core::fingerprint::StoredParts;

impl<A: Answerer> Step<'_, '_, '_, A> {
    /// Records the files whose results are known without reading them.
    pub(super) fn record_known(
        &mut self,
        layer: usize,
        reader: &ReadyReader,
        files: &mut Files,
    ) -> Result<(), BuildError> {
        self.record_digests()?;
        for (key, failure) in std::mem::take(&mut files.failed) {
            self.layers[layer].progress.unit_added(Freshness::Stale);
            self.record_failure(layer, key, &failure)?;
        }
        for fresh in std::mem::take(&mut files.fresh) {
            let handles = fresh.outputs.into_iter().map(|output| FileOutput {
                file: fresh.file,
                handle: Handle {
                    layer,
                    label: output.label,
                    digest: output.digest,
                    partial: false,
                    location: Location::Stored(output.id),
                },
            });
            files.outputs.extend(handles);
            files.skipped.push((fresh.file, fresh.skipped));
            let run = &mut self.layers[layer];
            run.progress.unit_added(Freshness::Fresh);
            run.progress.unit_done();
            run.done_units.push((fresh.key, Some(fresh.unit)));
        }
        let name = self.layer_name(layer);
        for stale in &files.stale {
            self.layers[layer].progress.unit_added(Freshness::Stale);
            let (record, previous) = (self.record, &mut self.scheduler.previous);
            let roles = &self.scheduler.context.pipeline.roles;
            record.stale(layer, &stale.key, || {
                let now = StoredParts::new(reader.parts.clone(), stale.parts.clone());
                previous.reasons(name, stale.key.as_str(), &now, roles)
            })?;
        }
        Ok(())
    }

    pub(super) fn record_read(
        &mut self,
        layer: usize,
        reader: &ReadyReader,
        stale: &StaleFile,
        (result, files): (FileResult, &mut Files),
    ) -> Result<(), BuildError> {
        for line in &result.log {
            (self.context.observer)(&Event::Log {
                layer: self.layer_name(layer).to_owned(),
                unit: stale.key.to_string(),
                level: line.level.to_string(),
                message: line.message.clone(),
            });
        }
        let parts = StoredParts::new(reader.parts.clone(), stale.parts.clone());
        let entry = UnitEntry {
            layer,
            layer_name: self.layer_name(layer),
            key: &stale.key,
            fingerprint: stale.fingerprint,
            parts: &serde_json::to_string(&parts).unwrap_or_default(),
            partial: false,
            inputs: &[],
            roles: None,
        };
        let (unit, locations) = self.record.read(&entry, &result)?;
        let outputs = result.artifacts.into_iter().zip(locations);
        let outputs = outputs.map(|(artifact, location)| FileOutput {
            file: stale.file,
            handle: Handle {
                layer,
                label: artifact.label,
                digest: artifact.digest,
                partial: false,
                location,
            },
        });
        files.outputs.extend(outputs);
        files.skipped.push((stale.file, result.skipped));
        let run = &mut self.layers[layer];
        run.progress.unit_done();
        run.done_units.push((stale.key.clone(), unit));
        Ok(())
    }
}
