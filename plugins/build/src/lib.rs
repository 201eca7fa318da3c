//! Compiles guests to WebAssembly components: the first-party transforms and the guests of the tests.
//!
//! It runs in build scripts and in `xtask`. Somebody who builds or installs synix does not need it, because the
//! repository contains the compiled transforms.
//!
//! | module | owns |
//! | --- | --- |
//! | [`toolchain`] | the compiler and the standard library of the target |
//! | [`compile`] | the cargo run inside a build: flags, environment, target folder |
//! | [`component`] | the conversion of core modules to components |
//! | [`first_party`] | the first-party transforms and the digests of their sources |
//! | [`script`] | the output of a build script for cargo |
//!
//! ```
//! use synix_guest_build::toolchain::Toolchain;
//!
//! let version = Toolchain::from_environment().version()?;
//! assert!(version.contains('.'));
//! # Ok::<(), synix_guest_build::BuildError>(())
//! ```

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
