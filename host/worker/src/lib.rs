//! The core of a worker: runs chunks of units for builds on other machines.
//!
//! A worker has no key, no project and no state. A chunk names everything that its units need, and what is too large for
//! a chunk is in the store of contents under its digest. The worker does not know how chunks reach it.
//!
//! ```
//! use std::num::NonZero;
//! use std::sync::Arc;
//! use synix_sandbox::Compiler;
//! use synix_shared::MemoryObjects;
//! use synix_units::{Contents, UnitChunk};
//! use synix_worker::{Maxima, Worker, WorkerSettings};
//!
//! let runtime = tokio::runtime::Runtime::new()?;
//! let worker = Worker::new(WorkerSettings {
//!     jobs: NonZero::<usize>::MIN,
//!     cache: None,
//!     compiler: Compiler::InProcess,
//!     maxima: Maxima::default(),
//!     contents: Contents::new(Arc::new(MemoryObjects::default()), "default"),
//!     runtime: runtime.handle().clone(),
//! })?;
//! let outcome = worker.run_chunk(&UnitChunk::new(1 << 20, 20).encode())?;
//! assert!(outcome.starts_with(b"{\"schema\":1,"));
//! // Another attempt would not help.
//! assert!(!worker.run_chunk(b"no chunk").unwrap_err().is_transient());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
mod maxima;
mod objects;
mod plugins;
mod rounds;
#[cfg(test)]
mod tests;
mod unit;
mod worker;

pub use error::WorkerError;
pub use maxima::{Maxima, MaximumExceeded};
pub use worker::{Worker, WorkerSettings};
