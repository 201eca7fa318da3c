//! The vocabulary that every crate of synix shares: identifiers, digests, artifacts, requests and their keys, fingerprints.
//!
//! Nothing here opens a file, contacts a server or reads the environment. Users keep what this crate encodes for years,
//! so request keys and fingerprints have versions, test vectors and property tests.
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
pub mod causes;
pub mod clock;
pub mod crash;
pub mod device_name;
pub mod digest;
pub mod error_kind;
pub mod exit_code;
pub mod file_stamp;
pub mod fingerprint;
pub mod ids;
pub mod json;
pub mod loopback;
pub mod printable;
pub mod request;
pub mod skipped;
