//! The import `reading`: the file of a reader's run, and where its artifacts go.

use std::any::Any;
use std::io;

use wasmtime::component::Resource;

use super::State;
use crate::convert;
use crate::engine_error::HostBug;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::values::{self, InvalidOutput};
use synix_contract::bindings::reader::FileHandle;
use synix_contract::bindings::reader::synix::plugin::reading as wit;
use synix_core::artifact::Artifact;

/// The most that one call returns of the file.
const READ_BYTES: usize = 1 << 20;
/// The most that is kept of a place, and of the name of something skipped.
const TEXT_BYTES: usize = 256;

/// Why a reader left something out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// A part that the service that wrote the file does not show either.
    Hidden,
    /// It has no content.
    Empty,
    /// It has content, but no text.
    NoText,
    /// The same is in the file more than once.
    Duplicate,
    /// A branch of a conversation that is not the active one.
    Branch,
    /// It is damaged or cut off.
    Unreadable,
    /// It is of a kind that the reader does not read.
    Unsupported,
    /// The config leaves it out.
    Filtered,
}

impl SkipReason {
    /// Returns the name that commands and documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Empty => "empty",
            Self::NoText => "no_text",
            Self::Duplicate => "duplicate",
            Self::Branch => "branch",
            Self::Unreadable => "unreadable",
            Self::Unsupported => "unsupported",
            Self::Filtered => "filtered",
        }
    }
}

/// Something that a reader left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The place in the file, such as `line 12`; may be empty.
    pub place: String,
    /// What it is, for people.
    pub what: String,
    /// Why.
    pub reason: SkipReason,
}

/// The file of one run of a reader, and the receiver of its artifacts.
///
/// The run owns it and hands it back. It may be on another thread.
pub trait Reading: Any + Send {
    /// Returns the path below the project folder.
    fn name(&self) -> String;

    /// Returns the size in bytes.
    fn size(&self) -> u64;

    /// Reads up to `length` bytes from `offset`; the result is shorter only at the end of the file.
    fn read(&mut self, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Takes an artifact, which has been checked, with the place that it comes from.
    fn emit(&mut self, place: &str, artifact: Artifact) -> Result<(), ReceiverGone>;

    /// Takes something that was left out.
    fn skip(&mut self, skipped: Skipped) -> Result<(), ReceiverGone>;
}

/// Whoever wanted the artifacts does not want them any more. The run ends as if it were interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody receives the artifacts any more")]
pub struct ReceiverGone;

/// A run's file and what it handed over so far.
pub(crate) struct ReadingState {
    file: Box<dyn Reading>,
    /// The place that it named last.
    pub(crate) place: String,
    /// How many artifacts it handed over.
    pub(crate) emitted: usize,
    /// How many parts it left out.
    pub(crate) skipped: usize,
    /// The most bytes that one artifact may have.
    output_bytes: usize,
    /// Why the run was ended.
    pub(crate) fault: Option<Fault>,
}

impl ReadingState {
    pub(crate) fn new(file: Box<dyn Reading>, limits: &Limits) -> Self {
        Self {
            file,
            place: String::new(),
            emitted: 0,
            skipped: 0,
            output_bytes: limits.output_bytes,
            fault: None,
        }
    }

    /// Returns the file after the run, as the type that it had before.
    pub(crate) fn into_file<F: Reading>(self) -> F {
        let file: Box<dyn Any> = self.file;
        match file.downcast::<F>() {
            Ok(file) => *file,
            Err(_) => unreachable!("a run hands back the file that it was given"),
        }
    }

    fn checked(&self, output: wit::Output) -> Result<Artifact, Fault> {
        let bytes = convert::output_bytes(&output);
        if bytes > self.output_bytes {
            return Err(Fault::OutputTooLarge {
                bytes,
                limit: self.output_bytes,
            });
        }
        let mut values = values::METADATA_VALUES;
        convert::artifact(output, &mut values).map_err(|source: InvalidOutput| Fault::InvalidEmit {
            place: self.place.clone(),
            position: self.emitted,
            source,
        })
    }
}

/// Unwinds a guest as an error; what is wrong is in [`ReadingState::fault`].
#[derive(Debug, thiserror::Error)]
#[error("the run of a reader ends")]
pub(crate) struct Unwound;

impl ReadingState {
    /// Ends the run with a fault.
    fn end(&mut self, fault: Fault) -> wasmtime::Error {
        self.fault = Some(fault);
        Unwound.into()
    }
}

impl State {
    fn reading(&mut self) -> wasmtime::Result<&mut ReadingState> {
        let mistake = HostBug("a transform has no file to read");
        self.reading.as_mut().ok_or_else(|| mistake.into())
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES));
    text
}

impl wit::HostFile for State {
    fn name(&mut self, _: Resource<FileHandle>) -> wasmtime::Result<String> {
        Ok(self.reading()?.file.name())
    }

    fn size(&mut self, _: Resource<FileHandle>) -> wasmtime::Result<u64> {
        Ok(self.reading()?.file.size())
    }

    fn read(
        &mut self,
        _: Resource<FileHandle>,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Vec<u8>> {
        let length = usize::try_from(length)
            .unwrap_or(READ_BYTES)
            .min(READ_BYTES);
        let reading = self.reading()?;
        let bytes = match reading.file.read(offset, length) {
            Ok(bytes) => bytes,
            Err(source) => return Err(reading.end(Fault::FileUnreadable { source })),
        };
        self.meter.charge_bytes(bytes.len());
        Ok(bytes)
    }

    fn drop(&mut self, _: Resource<FileHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl wit::Host for State {
    fn at(&mut self, place: String) -> wasmtime::Result<()> {
        self.meter.charge_bytes(place.len());
        self.reading()?.place = cut(place);
        Ok(())
    }

    fn emit(&mut self, output: wit::Output) -> wasmtime::Result<()> {
        let bytes = convert::output_bytes(&output);
        self.meter.charge_bytes(bytes);
        self.meter.count_transfer(bytes)?;
        let Self { meter, reading, .. } = self;
        let Some(reading) = reading else {
            return Err(HostBug("a transform has no file to read").into());
        };
        let artifact = match reading.checked(output) {
            Ok(artifact) => artifact,
            Err(fault) => return Err(reading.end(fault)),
        };
        reading.emitted += 1;
        // The receiver may have more to do than it can take at once, which is not the guest's time.
        match meter.exclude_time(|| reading.file.emit(&reading.place, artifact)) {
            Ok(()) => Ok(()),
            Err(ReceiverGone) => Err(reading.end(Fault::Interrupted)),
        }
    }

    fn skip(&mut self, what: String, reason: wit::Reason) -> wasmtime::Result<()> {
        self.meter.charge_bytes(what.len());
        let reading = self.reading()?;
        let reason = match reason {
            wit::Reason::Hidden => SkipReason::Hidden,
            wit::Reason::Empty => SkipReason::Empty,
            wit::Reason::NoText => SkipReason::NoText,
            wit::Reason::Duplicate => SkipReason::Duplicate,
            wit::Reason::Branch => SkipReason::Branch,
            wit::Reason::Unreadable => SkipReason::Unreadable,
            wit::Reason::Unsupported => SkipReason::Unsupported,
            wit::Reason::Filtered => SkipReason::Filtered,
            wit::Reason::Other(name) => {
                return Err(reading.end(Fault::UnknownReason { name: cut(name) }));
            }
        };
        reading.skipped += 1;
        let skipped = Skipped {
            place: reading.place.clone(),
            what: cut(what),
            reason,
        };
        match reading.file.skip(skipped) {
            Ok(()) => Ok(()),
            Err(ReceiverGone) => Err(reading.end(Fault::Interrupted)),
        }
    }
}
