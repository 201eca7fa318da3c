//! The streams of `wasi:io`: an empty one to read from, and two that lead into the log.
//!
//! None ever waits or fails.

use wasmtime::component::{ComponentType, Lower, Resource};

use super::Linker;
use super::frozen::Pollable;
use super::interface::{Interface, instance};
use crate::imports::State;
use crate::imports::log::Level;

/// What a stream takes in one write.
const WRITE_BYTES: u64 = 64 << 10;

/// Why a stream failed; none does.
enum Failure {}

/// The empty stdin.
struct Input;

/// Stdout or stderr.
struct Output(Level);

#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "the type has to be whole")]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<Failure>),
    #[component(name = "closed")]
    Closed,
}

/// Offers the streams and the ways to get them.
pub(super) fn add_to(linker: &mut Linker) -> wasmtime::Result<()> {
    instance(linker, "io/error")?.unfilled::<Failure>("error", &["to-debug-string"])?;
    let mut streams = instance(linker, "io/streams")?;
    add_input(&mut streams)?;
    add_output(&mut streams)?;

    instance(linker, "cli/stdin")?.function("get-stdin", |state, ()| {
        Ok((state.wasi.open().table.push(Input)?,))
    })?;
    instance(linker, "cli/stdout")?
        .function("get-stdout", |state, ()| Ok((state.output(Level::Info)?,)))?;
    instance(linker, "cli/stderr")?
        .function("get-stderr", |state, ()| Ok((state.output(Level::Warn)?,)))
}

fn add_input(streams: &mut Interface<'_>) -> wasmtime::Result<()> {
    streams.resource::<Input>("input-stream")?;
    for name in ["read", "blocking-read"] {
        let name = format!("[method]input-stream.{name}");
        streams.function(&name, |_, _: (Resource<Input>, u64)| {
            Ok((Err::<Vec<u8>, _>(StreamError::Closed),))
        })?;
    }
    for name in ["skip", "blocking-skip"] {
        let name = format!("[method]input-stream.{name}");
        streams.function(&name, |_, _: (Resource<Input>, u64)| {
            Ok((Err::<u64, _>(StreamError::Closed),))
        })?;
    }
    streams.function(
        "[method]input-stream.subscribe",
        |state, _: (Resource<Input>,)| Ok((state.at_once()?,)),
    )
}

fn add_output(streams: &mut Interface<'_>) -> wasmtime::Result<()> {
    streams.resource::<Output>("output-stream")?;
    streams.function(
        "[method]output-stream.check-write",
        |_, _: (Resource<Output>,)| Ok((Ok::<_, StreamError>(WRITE_BYTES),)),
    )?;
    for name in ["write", "blocking-write-and-flush"] {
        let name = format!("[method]output-stream.{name}");
        streams.function(
            &name,
            |state, (stream, bytes): (Resource<Output>, Vec<u8>)| {
                Ok((state.print(&stream, &bytes)?,))
            },
        )?;
    }
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        let name = format!("[method]output-stream.{name}");
        streams.function(&name, |state, (stream, count): (Resource<Output>, u64)| {
            let zeroes = vec![0; usize::try_from(count.min(WRITE_BYTES)).unwrap_or_default()];
            if count > WRITE_BYTES {
                return Err(wasmtime::Error::msg(
                    "more is written than the stream takes",
                ));
            }
            Ok((state.print(&stream, &zeroes)?,))
        })?;
    }
    for name in ["flush", "blocking-flush"] {
        let name = format!("[method]output-stream.{name}");
        streams.function(&name, |_, _: (Resource<Output>,)| {
            Ok((Ok::<(), StreamError>(()),))
        })?;
    }
    for name in ["splice", "blocking-splice"] {
        let name = format!("[method]output-stream.{name}");
        // There is nothing to read.
        streams.function(&name, |_, _: (Resource<Output>, Resource<Input>, u64)| {
            Ok((Err::<u64, _>(StreamError::Closed),))
        })?;
    }
    streams.function(
        "[method]output-stream.subscribe",
        |state, _: (Resource<Output>,)| Ok((state.at_once()?,)),
    )
}

impl State {
    fn output(&mut self, level: Level) -> wasmtime::Result<Resource<Output>> {
        Ok(self.wasi.open().table.push(Output(level))?)
    }

    fn print(
        &mut self,
        stream: &Resource<Output>,
        bytes: &[u8],
    ) -> wasmtime::Result<Result<(), StreamError>> {
        let open = self.wasi.open();
        let Output(level) = open.table.get(stream)?;
        open.console.write(*level, bytes);
        Ok(Ok(()))
    }

    /// Returns something to wait for that has happened already.
    pub(super) fn at_once(&mut self) -> wasmtime::Result<Resource<Pollable>> {
        Ok(self.wasi.open().table.push(Pollable)?)
    }
}
