//! Compiles guests to WebAssembly components.
//!
//! | module | owns |
//! | --- | --- |
//! | [`toolchain`] | which compiler is used and where the target's standard library comes from |
//! | [`compile`] | the cargo run inside a build: flags, environment, target folder |
//! | [`component`] | core modules turned into components |
//! | [`script`] | what a build script says to cargo |
//!
//! Which guests exist is for the build scripts that call this.

#![warn(missing_docs)]

pub mod compile;
#[cfg(feature = "encode")]
pub mod component;
mod error;
#[cfg(feature = "encode")]
pub mod script;
pub mod toolchain;

pub use error::BuildError;
