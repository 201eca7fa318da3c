//! Units on other machines: chunks of pure units travel to workers that have no key, no project and no state.
//!
//! A build hands chunks to a [`UnitEngine`] and gets their outcomes back. Its scheduler does not know where units run.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod contents;
mod engine;

pub use contents::{ContentError, Contents};
pub use engine::{EngineError, UnitEngine};
