//! The streams of `wasi:io`: an empty stdin, and stdout and stderr, which become log lines.
//!
//! None of them ever blocks or fails.

use wasmtime::component::{ComponentType, Lower, Resource};

use super::Linker;
use super::clocks::Pollable;
use super::interface::{Interface, instance};
use crate::imports::State;
use crate::imports::log::Level;

/// The maximum number of bytes of one write.
const WRITE_BYTES: u64 = 64 << 10;

/// An error of a stream, which never occurs.
enum Failure {}

/// The empty stdin.
struct Input;

/// Stdout or stderr.
struct Output(Level);

#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "the type must match the interface")]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<Failure>),
    #[component(name = "closed")]
    Closed,
}

/// Adds the streams and the functions that return them.
pub(super) fn add_to(linker: &mut Linker) -> wasmtime::Result<()> {
    instance(linker, "io/error")?.stub_resource::<Failure>("error", &["to-debug-string"])?;
    let mut streams = instance(linker, "io/streams")?;
    add_input(&mut streams)?;
    add_output(&mut streams)?;

    instance(linker, "cli/stdin")?.function("get-stdin", |state, ()| {
        Ok((state.wasi.resources().table.push(Input)?,))
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
        |state, _: (Resource<Input>,)| Ok((state.ready_pollable()?,)),
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
                    "one write exceeds the limit of the stream",
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
        // The input stream is empty.
        streams.function(&name, |_, _: (Resource<Output>, Resource<Input>, u64)| {
            Ok((Err::<u64, _>(StreamError::Closed),))
        })?;
    }
    streams.function(
        "[method]output-stream.subscribe",
        |state, _: (Resource<Output>,)| Ok((state.ready_pollable()?,)),
    )
}

impl State {
    fn output(&mut self, level: Level) -> wasmtime::Result<Resource<Output>> {
        Ok(self.wasi.resources().table.push(Output(level))?)
    }

    fn print(
        &mut self,
        stream: &Resource<Output>,
        bytes: &[u8],
    ) -> wasmtime::Result<Result<(), StreamError>> {
        let resources = self.wasi.resources();
        let Output(level) = resources.table.get(stream)?;
        resources.console.write(*level, bytes);
        Ok(Ok(()))
    }

    /// Returns an event that has already happened.
    pub(super) fn ready_pollable(&mut self) -> wasmtime::Result<Resource<Pollable>> {
        Ok(self.wasi.resources().table.push(Pollable)?)
    }
}
