//! The core of a worker: runs chunks of units for builds on other machines.
//!
//! A worker has no key, no project and no state. A chunk names everything that its units need, and what is too large for
//! a chunk is in the store of contents under its digest. The worker does not know how chunks reach it.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
mod objects;
mod plugins;
mod rounds;
mod unit;
mod worker;

pub use error::WorkerError;
pub use worker::{Worker, WorkerSettings};
