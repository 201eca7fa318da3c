//! What a guest can reach: one file for each import of the contract; WASI stands beside.
//!
//! Each checks the grant, then clamps or parses what the guest gave, then asks.

pub(super) mod llm;
pub(super) mod log;
mod request;

use super::limits::{HOSTCALL_FUEL, Meter};
use super::wasi::Wasi;
use synix_contract::bindings::synix::plugin::types;

/// The data of one call's store.
pub(super) struct State {
    pub(super) meter: Meter,
    pub(super) log: log::Log,
    pub(super) llm: llm::Llm,
    pub(super) wasi: Wasi,
}

impl State {
    /// Lets the guest in for one call of the host, whatever it asks for.
    pub(super) fn entered(&mut self) -> &mut Self {
        self.meter.charge(HOSTCALL_FUEL);
        self
    }

    /// Returns the fuel that all calls of the host cost so far.
    pub(super) fn charged(&self) -> u64 {
        self.meter.charged().saturating_add(self.wasi.printed())
    }
}

/// Ends a run whose answer is not known yet; unwinds the guest as an error.
#[derive(Debug, thiserror::Error)]
#[error("waits for an answer")]
pub(super) struct Suspension;

impl types::Host for State {}
