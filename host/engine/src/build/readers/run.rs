//! Runs a reader over the files that changed, some at a time.

use std::collections::HashMap;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use super::spool::{Spool, SpoolWriter, SpooledArtifact};
use crate::build::BuildError;
use crate::build::layers::ReadyReader;
use crate::build::unit::guest_failure;
use synix_core::artifact::Artifact;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;
use synix_core::ids::Label;
use synix_core::request::Failure;
use synix_core::skipped::{SkippedCount, SkippedCounts, example};
use synix_sandbox::{LogLine, Reading, ReceiverGone, Skipped};
use synix_sources::{OpenFile, ProjectFolder, SourceError};

/// A file to read.
#[derive(Debug)]
pub(super) struct FileToRead {
    pub(super) path: String,
    /// The digest of its bytes.
    pub(super) digest: Digest,
    /// Its stamp when it had this digest.
    pub(super) stamp: FileStamp,
}

/// What a reader made of a file.
#[derive(Debug)]
pub(in crate::build) struct FileResult {
    pub(in crate::build) spool: Arc<Spool>,
    pub(in crate::build) artifacts: Vec<SpooledArtifact>,
    pub(in crate::build) skipped: Vec<SkippedCount>,
    pub(in crate::build) log: Vec<LogLine>,
}

/// How the run over a file ended.
#[derive(Debug)]
pub(super) enum FileEnd {
    Read(FileResult),
    /// The file cannot be read now.
    Failed(Failure),
    /// The reader fails whenever it reads these bytes.
    Unreadable(Failure),
    Interrupted,
    /// The disk is full, for example.
    Fatal(BuildError),
}

/// Reads the files, and passes each result with the file's position to `take`, in no particular order.
///
/// If `take` fails, the others are stopped.
pub(super) fn read_files(
    reader: &ReadyReader,
    folder: &ProjectFolder,
    files: &[&FileToRead],
    mut take: impl FnMut(usize, FileEnd) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let count = std::thread::available_parallelism().map_or(2, NonZero::get);
    let (next, stop) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
    std::thread::scope(|scope| {
        let (sender, results) = sync_channel(count);
        let threads: Vec<_> = (0..count.min(files.len()))
            .map(|_| {
                let thread = ReaderThread {
                    reader,
                    folder,
                    files,
                    next: &next,
                    stop: Arc::clone(&stop),
                    results: sender.clone(),
                };
                scope.spawn(move || thread.run())
            })
            .collect();
        drop(sender);
        let mut taken = Ok(());
        for (position, end) in &results {
            taken = take(position, end);
            if taken.is_err() {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        drop(results);
        for thread in threads {
            if thread.join().is_err() {
                return Err(BuildError::ThreadPanicked);
            }
        }
        taken
    })
}

struct ReaderThread<'a> {
    reader: &'a ReadyReader,
    folder: &'a ProjectFolder,
    files: &'a [&'a FileToRead],
    next: &'a AtomicUsize,
    stop: Arc<AtomicBool>,
    results: SyncSender<(usize, FileEnd)>,
}

impl ReaderThread<'_> {
    fn run(&self) {
        let mut spool = None;
        loop {
            let position = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = self.files.get(position) else {
                return;
            };
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let end = match self.read(file, spool.take()) {
                Ok((end, writer)) => {
                    spool = Some(writer);
                    end
                }
                Err(source) => FileEnd::Fatal(BuildError::Spool {
                    layer: self.reader.layer.to_string(),
                    path: file.path.clone(),
                    source,
                }),
            };
            if self.results.send((position, end)).is_err() {
                return;
            }
        }
    }

    /// Reads a file; an error is one of the temporary file.
    fn read(
        &self,
        file: &FileToRead,
        spool: Option<SpoolWriter>,
    ) -> io::Result<(FileEnd, SpoolWriter)> {
        let mut spool = match spool {
            Some(spool) => spool,
            None => SpoolWriter::new()?,
        };
        spool.start_file()?;
        let file_failed = |error: SourceError| FileEnd::Failed(guest_failure(with_causes(&error)));
        let open = match self.folder.open_source(&file.path) {
            Ok(open) if open.stamp() == file.stamp => open,
            Ok(_) => {
                let path = file.path.clone();
                return Ok((file_failed(SourceError::Changed { path }), spool));
            }
            Err(error) => return Ok((file_failed(error), spool)),
        };
        let receiver = Receiver {
            file: open,
            spool,
            places: HashMap::new(),
            skipped: SkippedCounts::default(),
            problem: None,
            stop: Arc::clone(&self.stop),
        };
        let ReadyReader {
            plugin,
            config_text,
            limits,
            ..
        } = self.reader;
        let run = plugin.read(receiver, file.digest, config_text, limits);
        let Receiver {
            file: open,
            mut spool,
            skipped,
            problem,
            ..
        } = run.file;
        let end = match (problem, run.summary) {
            (Some(Problem::Disk(error)), _) => return Err(error),
            (Some(Problem::Artifact(message)), _) => FileEnd::Unreadable(guest_failure(message)),
            (None, Err(error)) if error.is_interrupted() => FileEnd::Interrupted,
            (None, Err(error)) => {
                let failure = guest_failure(with_causes(&error));
                if error.is_transient() {
                    FileEnd::Failed(Failure {
                        transient: true,
                        ..failure
                    })
                } else {
                    FileEnd::Unreadable(failure)
                }
            }
            // Otherwise the artifacts of other bytes would be recorded under this digest.
            (None, Ok(summary)) => match open.check_unchanged() {
                Ok(()) => {
                    let (spool, artifacts) = spool.end_file()?;
                    FileEnd::Read(FileResult {
                        spool,
                        artifacts,
                        skipped: skipped.to_vec(),
                        log: summary.log,
                    })
                }
                Err(error) => file_failed(error),
            },
        };
        Ok((end, spool))
    }
}

/// Why artifacts are not taken.
enum Problem {
    Disk(io::Error),
    Artifact(String),
}

/// The file of a run, and what the run has made of it so far.
struct Receiver {
    file: OpenFile,
    spool: SpoolWriter,
    /// The place of each label.
    places: HashMap<Label, Box<str>>,
    skipped: SkippedCounts,
    problem: Option<Problem>,
    stop: Arc<AtomicBool>,
}

impl Receiver {
    fn check_running(&self) -> Result<(), ReceiverGone> {
        if self.stop.load(Ordering::Relaxed) {
            Err(ReceiverGone)
        } else {
            Ok(())
        }
    }

    fn refuse(&mut self, problem: Problem) -> ReceiverGone {
        self.problem = Some(problem);
        ReceiverGone
    }
}

impl Reading for Receiver {
    fn name(&self) -> String {
        self.file.path().to_owned()
    }

    fn size(&self) -> u64 {
        self.file.stamp().size
    }

    fn read(&mut self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.file.read_at(offset, length)
    }

    fn emit(&mut self, place: &str, artifact: Artifact) -> Result<(), ReceiverGone> {
        self.check_running()?;
        let label = artifact.label.clone();
        if let Some(first) = self.places.get(&label) {
            let at = |place: &str| match place {
                "" => String::new(),
                place => format!(" ({place})"),
            };
            let message = format!(
                "two artifacts have the label {label}: the first{} and one after it{}",
                at(first),
                at(place)
            );
            return Err(self.refuse(Problem::Artifact(message)));
        }
        let digest = match artifact.digest() {
            Ok(digest) => digest,
            Err(error) => {
                let message = format!("the artifact {label} cannot be used: {error}");
                return Err(self.refuse(Problem::Artifact(message)));
            }
        };
        self.places.insert(label, place.into());
        if let Err(error) = self.spool.add(artifact, digest) {
            return Err(self.refuse(Problem::Disk(error)));
        }
        Ok(())
    }

    fn skip(&mut self, skipped: Skipped) -> Result<(), ReceiverGone> {
        self.check_running()?;
        let Skipped {
            place,
            what,
            reason,
        } = skipped;
        let path = self.file.path();
        self.skipped
            .add(reason.name(), || example(path, &place, &what));
        Ok(())
    }
}
