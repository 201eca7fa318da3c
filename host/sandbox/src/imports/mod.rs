//! The imports of the contract, one file for each. WASI is a module of its own.
//!
//! Each import first checks the grant, then checks or truncates the arguments, and then acts.

pub(super) mod embedding;
pub(super) mod llm;
pub(super) mod log;
pub(super) mod reading;
pub(super) mod request;

use super::meter::{HOSTCALL_FUEL, Meter};
use super::wasi::Wasi;
use synix_contract::bindings::synix::plugin::types;

/// The data of one call's store.
pub(super) struct State {
    pub(super) meter: Meter,
    pub(super) log: log::Log,
    pub(super) llm: llm::Llm,
    pub(super) wasi: Wasi,
    /// The file of a reader; a transform has none.
    pub(super) reading: Option<reading::ReadingState>,
}

impl State {
    /// Charges the guest for one call of the host.
    pub(super) fn charge_call(&mut self) -> &mut Self {
        self.meter.charge(HOSTCALL_FUEL);
        self
    }

    /// Returns the fuel of all calls of the host so far.
    pub(super) fn charged(&self) -> u64 {
        self.meter
            .charged()
            .saturating_add(self.wasi.bytes_printed())
    }
}

/// Ends a run because an answer is not known yet; unwinds the guest as an error.
#[derive(Debug, thiserror::Error)]
#[error("waits for an answer")]
pub(super) struct Suspension;

impl types::Host for State {}
