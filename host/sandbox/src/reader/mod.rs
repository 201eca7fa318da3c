//! Readers: plugins that turn a file into artifacts.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Resource;

use crate::convert;
use crate::descriptor::Descriptor;
use crate::error::PluginError;
use crate::fault::Fault;
use crate::imports::State;
use crate::imports::log::LogLine;
use crate::imports::reading::{Reading, ReadingState};
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::load::Loaded;
use crate::model::ModelAccess;
use synix_contract::bindings::reader::ReaderPre;
use synix_core::digest::{Digest, Encoder};

/// Instructions that a run may take for each byte of its file: 100 for each byte that it unpacks, and a file may unpack
/// to 100 times its size.
const FUEL_PER_BYTE: u64 = 10_000;
/// How often its own size a file may unpack to.
const UNPACKED_TIMES: usize = 100;
/// The part of a file that is worth a second of wall time.
const BYTES_PER_SECOND: u64 = 1 << 20;

/// A loaded reader. Clones share the compiled code.
#[derive(Clone)]
pub struct ReaderPlugin {
    pub(super) loaded: Arc<Loaded<ReaderPre<State>>>,
}

/// What a run of a reader handed over.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadSummary {
    /// How many artifacts.
    pub emitted: usize,
    /// How many parts it left out.
    pub skipped: usize,
    /// What it logged.
    pub log: Vec<LogLine>,
}

/// A run of a reader that has ended.
#[derive(Debug)]
pub struct ReaderRun<F> {
    /// How it ended.
    pub summary: Result<ReadSummary, PluginError>,
    /// The instructions it took, roughly; the same on every machine.
    pub fuel: u64,
    /// The place in the file that the reader named last, which is where it ended if it failed; may be empty.
    pub place: String,
    /// The file that the caller gave.
    pub file: F,
}

impl ReaderPlugin {
    /// Returns the name it was loaded under.
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// Returns the digest of the component's bytes.
    pub fn digest(&self) -> Digest {
        self.loaded.digest
    }

    /// Returns what the plugin says of itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.loaded.descriptor
    }

    /// Reads one file, whose bytes have this digest; `config` is the layer's, a JSON object as text.
    ///
    /// The artifacts go to `file` one by one. If the run fails, the caller drops those that it got.
    pub fn read<F: Reading>(
        &self,
        file: F,
        digest: Digest,
        config: &str,
        limits: &Limits,
    ) -> ReaderRun<F> {
        let limits = of_file(limits, file.size());
        let seed = if self.loaded.needs_wasi {
            let encoder = Encoder::new("synix.read.v1").digest(self.digest());
            encoder
                .text(&file.name())
                .digest(digest)
                .text(config)
                .finish()
        } else {
            self.digest()
        };
        let invocation = Invocation {
            linked: &self.loaded.linked,
            interruption: &self.loaded.shared.interruption,
            limits: &limits,
            seed,
        };
        let reading = ReadingState::new(Box::new(file), &limits);
        let (call_result, _, reading) =
            invocation.run(ModelAccess::none(), Some(reading), |reader, store| {
                reader.call_read(store, Resource::new_borrow(0), config)
            });
        let fuel = limits.fuel.saturating_sub(call_result.fuel_left);
        let Some(mut reading) = reading else {
            unreachable!("a run hands back the file that it was given")
        };
        let (emitted, skipped) = (reading.emitted, reading.skipped);
        let call_result = call_result.with_fault(reading.fault.take());
        let finished = call_result.finish(self.name(), &limits, |result| {
            result.map_err(convert::transform_error)?;
            if emitted == 0 && skipped == 0 {
                return Err(Fault::NothingRead);
            }
            Ok(())
        });
        ReaderRun {
            summary: finished.map(|done| ReadSummary {
                emitted,
                skipped,
                log: done.log,
            }),
            fuel,
            place: std::mem::take(&mut reading.place),
            file: reading.into_file(),
        }
    }
}

impl std::fmt::Debug for ReaderPlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReaderPlugin")
            .field("name", &self.name())
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

/// Returns the limits of a run over a file of this size: what grows with the file, and the rest as it is.
fn of_file(limits: &Limits, size: u64) -> Limits {
    let bytes = usize::try_from(size).unwrap_or(usize::MAX);
    Limits {
        fuel: limits
            .fuel
            .saturating_add(size.saturating_mul(FUEL_PER_BYTE)),
        wall: limits
            .wall
            .saturating_add(Duration::from_secs(size / BYTES_PER_SECOND)),
        hostcall_bytes: limits
            .hostcall_bytes
            .saturating_add(bytes.saturating_mul(UNPACKED_TIMES)),
        ..limits.clone()
    }
}
