//! Sources with a reader: one unit for each file, and any number of artifacts for each unit.
//!
//! A file whose stamp and reader are unchanged is not opened. The others are hashed, and read if their digest is new. A
//! file that its reader could not read fails again without being read, until something about it changes.
//! [`run`] reads several files at a time into [`spool`]s; the scheduler's thread [`record`]s the results. [`duplicates`]
//! decides which artifact is used if several files have one label.

mod duplicates;
mod record;
mod run;
mod spool;

use std::sync::Arc;

use self::run::{FileEnd, FileToRead, read_files};
use super::BuildError;
use super::answerer::Answerer;
use super::handle::Handle;
use super::layers::ReadyReader;
use super::scheduler::{Scheduler, SchedulerContext};
use super::unit::guest_failure;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::fingerprint::{SourceLayerParts, UnitParts};
use synix_core::ids::UnitKey;
use synix_core::request::Failure;
use synix_core::skipped::{SkippedCount, SkippedCounts};
use synix_manifest::OnDuplicate;
use synix_sources::{ReaderFile, SourceError, SourceProblems};
use synix_store::{AnswerOrigin, StoredArtifact, UnitId};

pub(super) use self::run::FileResult;
pub(super) use self::spool::{Spool, SpoolRange};

/// An artifact with the position of its file.
#[derive(Debug)]
struct FileOutput {
    file: usize,
    handle: Handle,
}

/// A file whose artifacts are known from an earlier build.
struct FreshFile {
    file: usize,
    key: UnitKey,
    unit: UnitId,
    outputs: Vec<StoredArtifact>,
    skipped: Vec<SkippedCount>,
}

/// A file that must be read, or cannot be.
struct StaleFile {
    /// Its position among the files of the layer.
    file: usize,
    key: UnitKey,
    parts: UnitParts,
    fingerprint: Digest,
    to_read: FileToRead,
}

/// The files of a layer, as far as they were looked at.
#[derive(Default)]
struct Files {
    found: Vec<ReaderFile>,
    fresh: Vec<FreshFile>,
    stale: Vec<StaleFile>,
    /// Files that their reader could not read in an earlier build.
    unreadable: Vec<(StaleFile, Failure)>,
    failed: Vec<(UnitKey, Failure)>,
    outputs: Vec<FileOutput>,
    /// What was left out, with the position of the file.
    skipped: Vec<(usize, Vec<SkippedCount>)>,
}

impl<'a, A: Answerer> Scheduler<'a, A> {
    /// Reads the files of a layer with its reader.
    pub(super) fn read_files(
        &mut self,
        layer: usize,
        reader: &Arc<ReadyReader>,
        problems: &mut SourceProblems,
    ) -> Result<(), BuildError> {
        let name = self.layer_name(layer);
        let folder = self.context.folder;
        let found = match folder.find_files(&reader.globs, reader.hidden) {
            Ok((files, found)) => {
                for problem in found {
                    problems.push(name, problem);
                }
                files
            }
            Err(problem) => {
                problems.push(name, problem);
                return Ok(());
            }
        };
        if self.take_unchanged_files(layer, reader, &found)? {
            return Ok(());
        }
        self.layers[layer].source_parts =
            SourceLayerParts::new(reader.on_duplicate == OnDuplicate::Newest);
        let mut files = Files {
            found,
            ..Files::default()
        };
        self.sort_files(layer, reader, &mut files)?;
        self.in_transaction(|step| step.record_known(layer, reader, &mut files))?;
        self.read_stale(layer, reader, &mut files)?;
        self.use_outputs(layer, reader, files, problems)
    }

    /// Divides the files into fresh and stale ones. Hashing takes time, so no transaction is open.
    fn sort_files(
        &mut self,
        layer: usize,
        reader: &ReadyReader,
        files: &mut Files,
    ) -> Result<(), BuildError> {
        let name = self.layer_name(layer);
        for (file, found) in files.found.iter().enumerate() {
            let path = &found.path;
            let key = UnitKey::from_stored(path).map_err(|error| BuildError::Metadata {
                layer: name.to_owned(),
                path: path.clone(),
                detail: error.to_string(),
            })?;
            let SchedulerContext {
                folder,
                interruption,
                ..
            } = self.context;
            let (digest, stamp) = match self.files.digest(folder, found, interruption) {
                Ok(Some(found)) => found,
                Ok(None) => {
                    // The next build does not hash the earlier files again.
                    self.in_transaction(|step| step.record_digests())?;
                    return Err(BuildError::Interrupted);
                }
                Err(error) => {
                    let failure = guest_failure(with_causes(&error));
                    files.failed.push((key, failure));
                    continue;
                }
            };
            self.layers[layer].source_size.bytes += stamp.size;
            let parts = reader.file_parts(path, digest);
            let fingerprint = parts.fingerprint(&reader.encoder);
            self.layers[layer].source_parts.add(fingerprint);
            // What a reader makes does not depend on where answers come from.
            let finished = self
                .previous
                .finished(name, fingerprint, AnswerOrigin::Live, |_| true)?;
            if let Some((unit, outputs)) = finished {
                let skipped = match self.context.reader {
                    Some(store) => store.skipped(unit)?,
                    None => Vec::new(),
                };
                files.fresh.push(FreshFile {
                    file,
                    key,
                    unit,
                    outputs,
                    skipped,
                });
                continue;
            }
            let stale = StaleFile {
                file,
                key,
                parts,
                fingerprint,
                to_read: FileToRead {
                    path: path.clone(),
                    digest,
                    stamp,
                },
            };
            match self.known_failure(fingerprint)? {
                Some(failure) => files.unreadable.push((stale, failure)),
                None => files.stale.push(stale),
            }
        }
        Ok(())
    }

    /// Returns how a file failed in an earlier build, unless such files are to be read again.
    fn known_failure(&self, fingerprint: Digest) -> Result<Option<Failure>, BuildError> {
        let SchedulerContext { reader, reread, .. } = self.context;
        let Some(store) = reader.filter(|_| !reread.failed) else {
            return Ok(None);
        };
        Ok(store.file_failure(fingerprint)?.map(guest_failure))
    }

    fn read_stale(
        &mut self,
        layer: usize,
        reader: &ReadyReader,
        files: &mut Files,
    ) -> Result<(), BuildError> {
        let stale = std::mem::take(&mut files.stale);
        let to_read: Vec<&FileToRead> = stale.iter().map(|stale| &stale.to_read).collect();
        let folder = self.context.folder;
        read_files(reader, folder, &to_read, |position, end| {
            let stale = &stale[position];
            self.in_transaction(|step| match end {
                FileEnd::Fatal(error) => Err(error),
                FileEnd::Interrupted => Err(BuildError::Interrupted),
                FileEnd::Failed(failure) => step.record_failure(layer, stale.key.clone(), &failure),
                FileEnd::Unreadable(failure) => {
                    step.record_unreadable(layer, reader, stale, &failure)
                }
                FileEnd::Read(result) => step.record_read(layer, reader, stale, (result, files)),
            })?;
            self.report_layer(layer);
            Ok(())
        })
    }

    fn use_outputs(
        &mut self,
        layer: usize,
        reader: &ReadyReader,
        mut files: Files,
        problems: &mut SourceProblems,
    ) -> Result<(), BuildError> {
        let name = self.layer_name(layer);
        files.skipped.sort_by_key(|(file, _)| *file);
        let distinct =
            duplicates::resolve(files.outputs, reader.on_duplicate, self.context.reader)?;
        let superseded = distinct.superseded_files();
        let mut skipped = SkippedCounts::default();
        for (file, counts) in &files.skipped {
            // What an older export left out is in the counts of the newer one, if it is still there.
            if superseded.binary_search(file).is_err() {
                skipped.extend(counts);
            }
        }
        for duplicate in distinct.duplicates {
            let (first, second) = duplicate.files;
            let problem = SourceError::DuplicateLabel {
                label: duplicate.label,
                first: files.found[first].path.clone(),
                second: files.found[second].path.clone(),
            };
            problems.push(name, problem);
        }
        let run = &mut self.layers[layer];
        run.skipped = skipped.to_vec();
        run.source_size.artifacts += distinct.used.len() as u64;
        run.artifacts
            .extend(distinct.used.into_iter().map(|output| output.handle));
        let replaced = distinct.replaced.iter();
        run.replaced = replaced
            .filter_map(|output| output.handle.stored())
            .collect();
        run.replaced.sort_unstable();
        Ok(())
    }
}
