//! Clocks that stand still.
//!
//! Waiting for a moment ends at once, and time is then where it was: a guest
//! cannot make a unit slow by sleeping.

use std::pin::Pin;

use wasmtime::component::Resource;
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::imports::State;

/// 1980-01-01, the earliest date that zip archives know.
const NOW: wall_clock::Datetime = wall_clock::Datetime {
    seconds: 315_532_800,
    nanoseconds: 0,
};
const RESOLUTION: wall_clock::Datetime = wall_clock::Datetime {
    seconds: 1,
    nanoseconds: 0,
};

/// What there is to wait for.
struct Always;

impl Pollable for Always {
    fn ready<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(std::future::ready(()))
    }
}

impl wall_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(NOW)
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(RESOLUTION)
    }
}

impl State {
    fn at_once(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let table = self.wasi.ctx().table;
        let always = table.push(Always)?;
        subscribe(table, always)
    }
}

impl monotonic_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Ok(0)
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        Ok(1)
    }

    fn subscribe_instant(
        &mut self,
        _: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.at_once()
    }

    fn subscribe_duration(
        &mut self,
        _: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.at_once()
    }
}
