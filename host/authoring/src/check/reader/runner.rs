//! Runs the reader under check and observes each run.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use serde_json::{Map, Value};

use super::SampleFile;
use super::memory_file::{MemoryFile, SeenArtifact};
use crate::check::failure::{FailureCause, UnitFailure};
use crate::check::progress::Progress;
use crate::check::report::Deadline;
use synix_core::digest::Digest;
use synix_core::json;
use synix_sandbox::{InterruptHandle, Limits, LogLine, ReaderPlugin, Skipped};

/// A run over one file, as the check observed it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReadTrial {
    pub(super) artifacts: Vec<SeenArtifact>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) failure: Option<UnitFailure>,
    pub(super) fuel: u64,
    pub(super) log: Vec<LogLine>,
}

impl ReadTrial {
    /// Returns what differs from another run that must give the same.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if let Some(failure) = self.failure.as_ref().or(other.failure.as_ref())
            && self.failure != other.failure
        {
            return Some(failure.message.clone());
        }
        if self.artifacts != other.artifacts {
            let (own, others) = (self.artifacts.len(), other.artifacts.len());
            return Some(if own == others {
                "its artifacts differ".to_owned()
            } else {
                format!("it gives {own} artifacts and then {others}")
            });
        }
        (self.skipped != other.skipped).then(|| "it skips other parts".to_owned())
    }

    /// Returns a label that the file gives twice, with both places.
    pub(super) fn duplicate_label(&self) -> Option<(&str, &str, &str)> {
        let mut places = BTreeMap::new();
        self.artifacts.iter().find_map(|one| {
            let first = places.insert(one.label.as_str(), one.place.as_str())?;
            Some((one.label.as_str(), first, one.place.as_str()))
        })
    }
}

/// Runs the reader under check.
pub(super) struct ReaderRunner<'a> {
    pub(super) reader: &'a ReaderPlugin,
    pub(super) interruption: InterruptHandle,
    pub(super) limits: Limits,
    pub(super) deadline: Deadline,
    pub(super) progress: Progress<'a>,
}

impl ReaderRunner<'_> {
    /// Reads a whole file.
    pub(super) fn read(&self, file: &SampleFile, config: &Map<String, Value>) -> ReadTrial {
        let config = json::canonical_object(config.clone());
        self.read_with(MemoryFile::new(file.clone()), &config)
    }

    /// Reads a file with this text as the config.
    pub(super) fn read_with(&self, file: MemoryFile, config: &str) -> ReadTrial {
        self.progress.count_run();
        let wall = self.deadline.remaining().unwrap_or(self.limits.wall);
        let wall = wall.min(self.limits.wall);
        let (done, running) = mpsc::channel::<()>();
        // The limits of time and fuel grow with the file, and the largest file of a check has no bytes behind it.
        let run = thread::scope(|scope| {
            let interruption = &self.interruption;
            scope.spawn(move || {
                if running.recv_timeout(wall) == Err(RecvTimeoutError::Timeout) {
                    interruption.stop();
                }
            });
            let run = self
                .reader
                .read(file, Digest::of(b"check"), config, &self.limits);
            drop(done);
            run
        });
        let is_late = self.interruption.is_stopped();
        self.interruption.resume();
        let (log, failure) = match run.summary {
            Ok(summary) => (summary.log, None),
            Err(mut error) => {
                let log = std::mem::take(&mut error.log);
                (log, Some(UnitFailure::from(error)))
            }
        };
        let failure = if is_late && failure.is_some() {
            Some(UnitFailure {
                cause: FailureCause::Limit,
                message: format!("still running after {} s", wall.as_secs()),
                plugin_message: String::new(),
            })
        } else {
            failure.filter(|_| !run.file.is_ended)
        };
        ReadTrial {
            artifacts: run.file.artifacts,
            skipped: run.file.skipped,
            failure,
            fuel: run.fuel,
            log,
        }
    }
}
