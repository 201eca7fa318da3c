//! The object stores that shared answers are kept in: S3, Google Cloud Storage, Azure Blob Storage, or a shared folder.
//!
//! This crate owns the connection: URLs, credentials, timeouts and retries. It reads nothing of the process; credentials
//! are handed in as values. What is kept in the store is up to `synix-shared`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod open;

pub use open::{InvalidStore, OpenedStore, open};
