//! Reads files with a reader for a plugin's author, and records the artifacts, what is skipped, the log and the fuel.
//!
//! The files are read in parts and never as a whole, and the artifacts go to the caller one by one.

mod input;
mod skips;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::unit_run::{RunOutput, RunStatus, level_and_text, run_output};
use input::InputReading;
use skips::SkipCounts;
use synix_core::artifact::Artifact;
use synix_core::causes::with_causes;
use synix_core::json;
use synix_sandbox::{Limits, ReaderPlugin, Skipped};

pub use input::{FileRunError, InputFile, project_name};
pub use skips::SkipCount;

/// How many artifacts may wait for the caller. A reader that is faster waits.
const WAITING: usize = 16;

/// An artifact of a file.
#[derive(Debug, Serialize)]
pub struct FileArtifact {
    /// The name of the file.
    pub file: String,
    /// The place in the file, such as `line 12`; may be empty.
    pub place: String,
    /// The artifact.
    #[serde(flatten)]
    pub output: RunOutput,
}

/// Why a file could not be read.
#[derive(Debug, Serialize)]
pub struct FileError {
    /// The name of the file.
    pub file: String,
    /// The place in the file that the reader named last; may be empty.
    pub place: String,
    /// The error with its causes.
    pub message: String,
}

/// The record of a run.
#[derive(Debug, Serialize)]
pub struct FileRunRecord {
    /// The name of the plugin.
    pub plugin: String,
    /// How it ended: done, or failed if a file failed.
    pub status: RunStatus,
    /// What the reader left out, by reason.
    pub skipped: Vec<SkipCount>,
    /// The log lines: level and text.
    pub log: Vec<(String, String)>,
    /// The fuel that it used for all files, roughly the number of instructions.
    pub fuel: u64,
    /// The files that failed. A build keeps none of their artifacts.
    pub errors: Vec<FileError>,
}

/// What a reader hands over.
enum Item {
    Artifact { place: String, artifact: Artifact },
    Skipped(Skipped),
}

/// Reads files, one after the other. Calls `on_artifact` for each artifact, also of a file that fails later, until it
/// breaks.
pub fn read_files(
    reader: &ReaderPlugin,
    config: &Map<String, Value>,
    files: Vec<InputFile>,
    on_artifact: &mut dyn FnMut(FileArtifact) -> ControlFlow<()>,
) -> FileRunRecord {
    let config = json::canonical_object(config.clone());
    let mut record = FileRunRecord {
        plugin: reader.descriptor().name.clone(),
        status: RunStatus::Done,
        skipped: Vec::new(),
        log: Vec::new(),
        fuel: 0,
        errors: Vec::new(),
    };
    let mut skips = SkipCounts::default();
    for file in files {
        let name = file.name.clone();
        let (items, receiver) = mpsc::sync_channel(WAITING);
        // On another thread, so that the caller gets an artifact as soon as the reader has it.
        let (end, mut received) = thread::scope(|scope| {
            let run = scope.spawn(|| read_file(reader, &config, file, items));
            let received = receive(&name, &receiver, &mut skips, on_artifact);
            // The reader ends at its next artifact if nobody receives any more.
            drop(receiver);
            let end = run.join();
            let end = end.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (end, received)
        });
        record.fuel = record.fuel.saturating_add(end.fuel);
        record.log.extend(end.log);
        if received.is_stopped {
            break;
        }
        received.errors.extend(end.error.map(|message| FileError {
            file: name,
            place: end.place,
            message,
        }));
        record.errors.append(&mut received.errors);
    }
    if !record.errors.is_empty() {
        record.status = RunStatus::Failed;
    }
    record.skipped = skips.list();
    record
}

/// The end of the run over one file.
struct FileEnd {
    fuel: u64,
    log: Vec<(String, String)>,
    place: String,
    error: Option<String>,
}

fn read_file(
    reader: &ReaderPlugin,
    config: &str,
    file: InputFile,
    items: SyncSender<Item>,
) -> FileEnd {
    let seed = file.seed();
    let reading = InputReading::new(file, items);
    let run = reader.read(reading, seed, config, &Limits::default());
    // This ends the stream of items.
    drop(run.file);
    let (log, error) = match run.summary {
        Ok(summary) => (summary.log, None),
        Err(mut error) => {
            let log = std::mem::take(&mut error.log);
            (log, Some(with_causes(&*error.fault)))
        }
    };
    FileEnd {
        fuel: run.fuel,
        log: log.into_iter().map(level_and_text).collect(),
        place: run.place,
        error,
    }
}

/// What the caller made of the items of one file.
#[derive(Default)]
struct Received {
    errors: Vec<FileError>,
    is_stopped: bool,
}

fn receive(
    name: &str,
    items: &Receiver<Item>,
    skips: &mut SkipCounts,
    on_artifact: &mut dyn FnMut(FileArtifact) -> ControlFlow<()>,
) -> Received {
    let mut received = Received::default();
    let mut places: HashMap<String, String> = HashMap::new();
    for item in items {
        let (place, artifact) = match item {
            Item::Skipped(skipped) => {
                skips.add(name, &skipped);
                continue;
            }
            Item::Artifact { place, artifact } => (place, artifact),
        };
        let label = artifact.label.to_string();
        // One such error is enough: a reader without good labels has thousands of them.
        if let Some(first) = places.insert(label.clone(), place.clone())
            && received.errors.is_empty()
        {
            received.errors.push(FileError {
                file: name.to_owned(),
                place: place.clone(),
                message: format!(
                    "two artifacts have the label {label:?}; the first is at {}",
                    if first.is_empty() {
                        "an unnamed place"
                    } else {
                        &first
                    }
                ),
            });
        }
        let artifact = FileArtifact {
            file: name.to_owned(),
            place,
            output: run_output(artifact),
        };
        if on_artifact(artifact).is_break() {
            received.is_stopped = true;
            break;
        }
    }
    received
}
