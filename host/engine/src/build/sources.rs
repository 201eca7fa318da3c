//! Sources, read into artifacts.

use std::sync::Arc;

use super::BuildError;
use super::answerer::Answerer;
use super::bounds::Bounds;
use super::handle::{FileArtifact, Handle, Place};
use super::journal::Entry;
use super::layers::ReadyBody;
use super::scheduler::{Scheduler, Step};
use crate::plan::PlanUnit;
use synix_core::fingerprint::{StaleReason, source_fingerprint};
use synix_core::ids::{Kind, UnitKey};
use synix_sources::{SourceError, SourceFile, SourceProblems};
use synix_store::Realm;

impl<'a, A: Answerer> Scheduler<'a, A> {
    /// Reads every source, so that a file that cannot be read stops the build before anything is sent (C5).
    pub(super) fn read_sources(&mut self) -> Result<(), BuildError> {
        let pipeline = self.site.pipeline;
        // All that are wrong are told at once: each look at a thousand files takes its time.
        let mut problems = SourceProblems::default();
        for (position, layer) in pipeline.layers.iter().enumerate() {
            if let ReadyBody::Source { glob, kind, hidden } = &layer.body {
                let name = layer.name.as_str();
                let found = match self.site.folder.sources(glob, *hidden) {
                    Ok(found) => found,
                    Err(problem) => {
                        problems.push(name, problem);
                        continue;
                    }
                };
                for problem in found.problems {
                    problems.push(name, problem);
                }
                self.written(|this| {
                    for file in &found.files {
                        if let Err(problem) = this.read_source(position, kind, file)? {
                            problems.push(name, problem);
                        }
                    }
                    Ok(())
                })?;
                self.previous.forget(name);
            }
        }
        if let Some(problems) = problems.found() {
            return Err(BuildError::Sources(problems));
        }
        let holdings: Vec<_> = self.layers.iter().map(|layer| layer.holdings).collect();
        self.bounds = Some(Bounds::new(pipeline, &holdings));
        self.written(|this| {
            for (position, layer) in pipeline.layers.iter().enumerate() {
                if matches!(layer.body, ReadyBody::Source { .. }) {
                    this.layers[position].spawned = true;
                    for number in 0..this.layers[position].artifacts.len() {
                        let artifact = this.layers[position].artifacts[number].clone();
                        this.spawn_dependants(&artifact)?;
                    }
                    if !this.layers[position].is_gathered {
                        this.layers[position].artifacts = Vec::new();
                    }
                    this.check_complete(position)?;
                }
            }
            Ok(())
        })
    }
}

impl<A: Answerer> Step<'_, '_, A> {
    fn read_source(
        &mut self,
        layer: usize,
        kind: &Kind,
        file: &SourceFile,
    ) -> Result<Result<(), SourceError>, BuildError> {
        let name = self.layer_name(layer);
        let bytes = match self.site.folder.read_source(file) {
            Ok(bytes) => bytes,
            Err(problem) => return Ok(Err(problem)),
        };
        let holdings = &mut self.layers[layer].holdings;
        holdings.artifacts += 1;
        holdings.bytes += bytes.bytes.len() as u64;
        let fingerprint = source_fingerprint(
            name,
            kind.as_str(),
            &file.path,
            file.label.as_str(),
            bytes.digest,
        );
        let key = UnitKey::stored(file.label.as_str()).map_err(|error| BuildError::Metadata {
            layer: name.to_owned(),
            path: file.path.clone(),
            detail: error.to_string(),
        })?;
        // What a file says does not depend on where answers come from.
        if let Some((id, outputs)) =
            self.previous
                .finished(name, fingerprint, Realm::Live, |_| true)?
        {
            for output in &outputs {
                let handle = Handle {
                    layer,
                    label: output.label.clone(),
                    digest: output.digest,
                    partial: false,
                    place: Place::Stored(output.id),
                };
                self.layers[layer].artifacts.push(handle);
            }
            self.layers[layer].fresh += 1;
            self.layers[layer].made.push((key, Some(id)));
            return Ok(Ok(()));
        }
        let artifact = match self.site.folder.artifact(file, kind, &bytes) {
            Ok(artifact) => artifact,
            Err(problem) => return Ok(Err(problem)),
        };
        let digest = artifact.digest().map_err(|error| BuildError::Metadata {
            layer: name.to_owned(),
            path: file.path.clone(),
            detail: error.to_string(),
        })?;
        if self.site.journal.is_none() {
            let reason = match self.previous.source_digest(name, file.label.as_str())? {
                Some(old) => StaleReason::Source {
                    label: file.label.to_string(),
                    old: old.short(),
                    new: digest.short(),
                },
                None => StaleReason::New,
            };
            self.layers[layer].stale_units.push(PlanUnit {
                unit: key.to_string(),
                reasons: vec![reason],
                guess: false,
            });
        }
        let entry = Entry {
            layer,
            layer_name: name,
            key: &key,
            fingerprint,
            parts: &serde_json::json!({ "path": file.path, "bytes": bytes.digest }).to_string(),
            partial: false,
            inputs: &[],
        };
        let label = artifact.label.clone();
        let (unit, place) = match self.record {
            Some(record) => {
                let (unit, id) = record.source(&entry, &artifact, digest)?;
                (Some(unit), Place::Stored(id))
            }
            // Contents are dropped: all of them together may not fit into memory.
            None => {
                let file = FileArtifact {
                    folder: self.site.folder.clone(),
                    layer: self.site.pipeline.layers[layer].name.clone(),
                    file: file.clone(),
                    kind: kind.clone(),
                    metadata: artifact.metadata,
                };
                (None, Place::File(Arc::new(file)))
            }
        };
        let run = &mut self.layers[layer];
        run.stale += 1;
        run.made.push((key, unit));
        run.artifacts.push(Handle {
            layer,
            label,
            digest,
            partial: false,
            place,
        });
        Ok(Ok(()))
    }
}
