//! Clocks that always show the same time, and waits that end immediately.
//!
//! A guest cannot slow down a unit by sleeping.

use wasmtime::component::{ComponentType, Lower, Resource};

use super::Linker;
use super::interface::instance;

/// An event to wait for, which has always happened already.
pub(super) struct Pollable;

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// 1980-01-01, the earliest date in a zip archive.
const FIXED_TIME: Datetime = Datetime {
    seconds: 315_532_800,
    nanoseconds: 0,
};
const RESOLUTION: Datetime = Datetime {
    seconds: 1,
    nanoseconds: 0,
};

/// Adds the clocks and the interface to wait for them.
pub(super) fn add_to(linker: &mut Linker) -> wasmtime::Result<()> {
    let mut wall = instance(linker, "clocks/wall-clock")?;
    wall.function("now", |_, ()| Ok((FIXED_TIME,)))?;
    wall.function("resolution", |_, ()| Ok((RESOLUTION,)))?;

    let mut monotonic = instance(linker, "clocks/monotonic-clock")?;
    monotonic.function("now", |_, ()| Ok((0_u64,)))?;
    monotonic.function("resolution", |_, ()| Ok((1_u64,)))?;
    for name in ["subscribe-instant", "subscribe-duration"] {
        monotonic.function(name, |state, _: (u64,)| Ok((state.ready_pollable()?,)))?;
    }

    let mut poll = instance(linker, "io/poll")?;
    poll.resource::<Pollable>("pollable")?;
    poll.function("[method]pollable.ready", |_, _: (Resource<Pollable>,)| {
        Ok((true,))
    })?;
    poll.function("[method]pollable.block", |_, _: (Resource<Pollable>,)| {
        Ok(())
    })?;
    poll.function("poll", |_, (waiting,): (Vec<Resource<Pollable>>,)| {
        if waiting.is_empty() {
            return Err(wasmtime::Error::msg(
                "the list of events to wait for is empty",
            ));
        }
        let all: Vec<u32> = (0..).take(waiting.len()).collect();
        Ok((all,))
    })
}
