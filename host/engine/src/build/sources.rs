//! Reads sources into artifacts.

use super::BuildError;
use super::answerer::Answerer;
use super::file_digests::FileDigests;
use super::handle::{FileArtifact, Handle, Location};
use super::layers::ReadyBody;
use super::limits::BuildLimits;
use super::progress::Freshness;
use super::recorder::{Record as _, UnitEntry};
use super::scheduler::{Scheduler, Step};
use super::text_reader::{TextFile, TextReader};
use synix_core::digest::Digest;
use synix_core::fingerprint::{StaleReason, source_fingerprint};
use synix_core::ids::{Kind, UnitKey};
use synix_sources::{SourceError, SourceFile, SourceProblems};
use synix_store::AnswerOrigin;

impl<'a, A: Answerer> Scheduler<'a, A> {
    /// Reads every source, so that an unreadable file stops the build before anything is sent (C5).
    pub(super) fn read_sources(&mut self) -> Result<(), BuildError> {
        let pipeline = self.context.pipeline;
        // All problems are reported at once, because each pass over a thousand files takes time.
        let mut problems = SourceProblems::default();
        for (position, layer) in pipeline.layers.iter().enumerate() {
            if !self.sample.is_built(position) {
                continue;
            }
            match &layer.body {
                ReadyBody::Transform(_) => continue,
                ReadyBody::Reader(reader) => self.read_files(position, reader, &mut problems)?,
                ReadyBody::Texts {
                    globs,
                    kind,
                    hidden,
                } => {
                    let name = layer.name.as_str();
                    let found = match self.context.folder.find_sources(globs, *hidden) {
                        Ok(found) => found,
                        Err(problem) => {
                            problems.push(name, problem);
                            continue;
                        }
                    };
                    for problem in found.problems {
                        problems.push(name, problem);
                    }
                    if self.take_unchanged_texts(position, kind, &found.files)? {
                        continue;
                    }
                    self.in_transaction(|step| {
                        let reader = TextReader {
                            folder: step.context.folder,
                            kind,
                            known: step.files.known.clone(),
                        };
                        reader.for_each(&found.files, |file, read| {
                            if step.context.interruption.is_stopped() {
                                return Err(BuildError::Interrupted);
                            }
                            let taken = match read {
                                Ok(read) => step.take_text(position, &reader, (file, read))?,
                                Err(problem) => Err(problem),
                            };
                            if let Err(problem) = taken {
                                problems.push(name, problem);
                            }
                            Ok(())
                        })?;
                        step.record_digests()
                    })?;
                }
            }
            self.previous.release(layer.name.as_str());
        }
        // No file is looked at any more.
        self.files = FileDigests::default();
        if let Some(problems) = problems.into_option() {
            return Err(BuildError::Sources(problems));
        }
        let source_size: Vec<_> = self.layers.iter().map(|layer| layer.source_size).collect();
        self.limits = Some(BuildLimits::new(pipeline, &source_size));
        self.draw_samples();
        self.take_unchanged_transforms()?;
        self.in_transaction(|step| {
            for (position, layer) in pipeline.layers.iter().enumerate() {
                if step.layers[position].unchanged.is_some() {
                    step.pass_on_unchanged(position)?;
                    step.check_complete(position)?;
                } else if layer.body.transform().is_none() {
                    step.layers[position].progress.all_units_known();
                    for number in 0..step.layers[position].artifacts.len() {
                        let artifact = step.layers[position].artifacts[number].clone();
                        step.spawn_downstream(&artifact)?;
                    }
                    if !step.layers[position].is_gathered {
                        step.layers[position].artifacts = Vec::new();
                    }
                    step.check_complete(position)?;
                }
            }
            Ok(())
        })
    }
}

impl<A: Answerer> Scheduler<'_, A> {
    /// Returns the fingerprint of the unit of a text.
    pub(super) fn text_fingerprint(
        &self,
        layer: usize,
        kind: &Kind,
        file: &SourceFile,
        digest: Digest,
    ) -> Digest {
        source_fingerprint(
            self.context.folder.version(file),
            (self.layer_name(layer), kind.as_str()),
            (&file.path, file.label.as_str()),
            digest,
        )
    }
}

impl<A: Answerer> Step<'_, '_, '_, A> {
    /// Makes a unit and its artifact of a file.
    fn take_text(
        &mut self,
        layer: usize,
        reader: &TextReader<'_>,
        (file, read): (&SourceFile, TextFile),
    ) -> Result<Result<(), SourceError>, BuildError> {
        let name = self.layer_name(layer);
        let (folder, kind) = (reader.folder, reader.kind);
        let TextFile {
            digest: file_digest,
            size,
            text,
        } = read;
        if let Some(stamp) = text.as_ref().and_then(|text| text.stamp) {
            self.files.learn(&file.path, stamp, file_digest);
        }
        let source_size = &mut self.layers[layer].source_size;
        source_size.artifacts += 1;
        source_size.bytes += size;
        let fingerprint = self.text_fingerprint(layer, kind, file, file_digest);
        self.layers[layer].source_parts.add(fingerprint);
        let key =
            UnitKey::from_stored(file.label.as_str()).map_err(|error| BuildError::Metadata {
                layer: name.to_owned(),
                path: file.path.clone(),
                detail: error.to_string(),
            })?;
        // A file does not depend on where answers come from.
        if let Some((id, outputs)) =
            self.previous
                .finished(name, fingerprint, AnswerOrigin::Live, |_| true)?
        {
            for output in &outputs {
                let handle = Handle {
                    layer,
                    label: output.label.clone(),
                    digest: output.digest,
                    partial: false,
                    location: Location::Stored(output.id),
                };
                self.layers[layer].artifacts.push(handle);
            }
            self.layers[layer].progress.unit_added(Freshness::Fresh);
            self.layers[layer].progress.unit_done();
            self.layers[layer].done_units.push((key, Some(id)));
            return Ok(Ok(()));
        }
        // An unchanged file is read after all if its text is needed, for example by another layer than before.
        let text = match text {
            Some(text) => text,
            None => match reader.read(file) {
                Ok(again) if again.digest == file_digest => again.text,
                Ok(_) => {
                    return Ok(Err(SourceError::Changed {
                        path: file.path.clone(),
                    }));
                }
                Err(problem) => return Ok(Err(problem)),
            },
        };
        let (artifact, digest) = match text.artifact {
            Ok(made) => made,
            Err(problem) => return Ok(Err(problem)),
        };
        let digest = digest.map_err(|error| BuildError::Metadata {
            layer: name.to_owned(),
            path: file.path.clone(),
            detail: error.to_string(),
        })?;
        let (record, previous) = (self.record, &mut self.previous);
        record.stale(layer, &key, || {
            Ok(vec![
                match previous.source_digest(name, file.label.as_str())? {
                    Some(old) => StaleReason::Source {
                        label: file.label.to_string(),
                        old: old.short(),
                        new: digest.short(),
                    },
                    None => StaleReason::New,
                },
            ])
        })?;
        let entry = UnitEntry {
            layer,
            layer_name: name,
            key: &key,
            fingerprint,
            parts: &serde_json::json!({ "path": file.path, "bytes": file_digest }).to_string(),
            partial: false,
            inputs: &[],
            roles: None,
        };
        let label = artifact.label.clone();
        let reread = || FileArtifact {
            folder: folder.clone(),
            layer: self.context.pipeline.layers[layer].name.clone(),
            file: file.clone(),
            kind: kind.clone(),
            metadata: artifact.metadata.clone(),
        };
        let (unit, location) = self.record.source(&entry, &artifact, digest, reread)?;
        let run = &mut self.layers[layer];
        run.progress.unit_added(Freshness::Stale);
        run.progress.unit_done();
        run.done_units.push((key, unit));
        run.artifacts.push(Handle {
            layer,
            label,
            digest,
            partial: false,
            location,
        });
        Ok(Ok(()))
    }
}
