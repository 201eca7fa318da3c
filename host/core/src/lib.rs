//! What every room of synix speaks about: identifiers, digests, artifacts, requests with their keys, and fingerprints.
//!
//! Nothing here opens a file, asks a server or reads the environment. What is
//! encoded here is kept for years: request keys and fingerprints have
//! versions, test vectors and property tests beside them.
//!
//! ```
//! use synix_core::digest::Digest;
//!
//! let digest = Digest::of(b"abc");
//! assert!(digest.to_string().starts_with("ba7816bf"));
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod artifact;
pub mod clock;
pub mod crash;
pub mod digest;
pub mod error_kind;
pub mod fingerprint;
pub mod ids;
pub mod json;
pub mod loopback;
pub mod printable;
pub mod request;
