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
use synix_core::request::Failure;

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
        for stale in &files.stale {
            self.record_stale(layer, reader, stale)?;
        }
        for (stale, failure) in std::mem::take(&mut files.unreadable) {
            self.record_stale(layer, reader, &stale)?;
            self.record_failure(layer, stale.key, &failure)?;
        }
        Ok(())
    }

    fn record_stale(
        &mut self,
        layer: usize,
        reader: &ReadyReader,
        stale: &StaleFile,
    ) -> Result<(), BuildError> {
        let name = self.layer_name(layer);
        self.layers[layer].progress.unit_added(Freshness::Stale);
        let (record, previous) = (self.record, &mut self.scheduler.previous);
        let roles = &self.scheduler.context.pipeline.roles;
        record.stale(layer, &stale.key, || {
            let now = StoredParts::new(reader.parts.clone(), stale.parts.clone());
            previous.reasons(name, stale.key.as_str(), &now, roles)
        })?;
        Ok(())
    }

    /// Records that the reader fails whenever it reads a file.
    pub(super) fn record_unreadable(
        &mut self,
        layer: usize,
        reader: &ReadyReader,
        stale: &StaleFile,
        failure: &Failure,
    ) -> Result<(), BuildError> {
        let parts = stored_parts(reader, stale);
        let entry = self.file_entry(layer, stale, &parts);
        self.record.unreadable(&entry, failure)?;
        self.record_failure(layer, stale.key.clone(), failure)
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
        let parts = stored_parts(reader, stale);
        let entry = self.file_entry(layer, stale, &parts);
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

    fn file_entry<'e>(
        &'e self,
        layer: usize,
        stale: &'e StaleFile,
        parts: &'e str,
    ) -> UnitEntry<'e> {
        UnitEntry {
            layer,
            layer_name: self.layer_name(layer),
            key: &stale.key,
            fingerprint: stale.fingerprint,
            parts,
            partial: false,
            inputs: &[],
            roles: None,
        }
    }
}

/// Returns what the fingerprint of a file's unit covers, as it is stored.
fn stored_parts(reader: &ReadyReader, stale: &StaleFile) -> String {
    let parts = StoredParts::new(reader.parts.clone(), stale.parts.clone());
    serde_json::to_string(&parts).unwrap_or_default()
}
