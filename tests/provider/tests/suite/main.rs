//! Pins the wire formats, each fault and the ledger, over real sockets.

#![allow(
    clippy::unwrap_used,
    reason = "a failed unwrap fails the test, also in its helpers"
)]

mod anthropic_batch;
mod anthropic_sync;
mod client;
mod control;
mod faults;
mod ledger;
mod openai_batch;
mod openai_batch_end;
mod openai_files;
mod openai_sync;
mod rows;
