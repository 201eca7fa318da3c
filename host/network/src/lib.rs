//! Explains why a connection to a server failed: an unknown name, an invalid certificate, a server without TLS.
//!
//! Calls to providers and downloads of plugins share these texts. This crate opens no connection itself.
//!
//! ```
//! use std::io;
//! use synix_network::{AddressSetting, connection_advice};
//!
//! let error = io::Error::other("dns error");
//! let advice = connection_advice(&error, AddressSetting::BaseUrl).unwrap();
//! assert!(advice.contains("check the name in `base_url`"));
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod connection_advice;

pub use connection_advice::{AddressSetting, connection_advice};
