//! Compiles guests to WebAssembly components.
//!
//! | module | owns |
//! | --- | --- |
//! | [`toolchain`] | which compiler is used and where the target's standard library comes from |
//! | [`compile`] | the cargo run inside a build: flags, environment, target folder |
//! | [`component`] | core modules turned into components |
//! | [`first_party`] | the transforms that come with synix, and the digests of their sources |
//! | [`script`] | what a build script says to cargo |

#![warn(missing_docs)]

pub mod compile;
#[cfg(feature = "encode")]
pub mod component;
mod error;
#[cfg(feature = "encode")]
mod files;
#[cfg(feature = "encode")]
pub mod first_party;
#[cfg(feature = "encode")]
pub mod script;
pub mod toolchain;

pub use error::BuildError;
