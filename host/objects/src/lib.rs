//! The object stores that shared answers are kept in: S3, Google Cloud Storage, Azure Blob Storage, or a shared folder.
//!
//! This crate owns the connection: URLs, credentials, timeouts, retries and errors. What is kept in the store is up to
//! `synix-shared`. Credentials are handed in as values; where none are given, the libraries may ask the metadata server of
//! the cloud that the process runs in.
//!
//! ```
//! use synix_shared::Creation;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let folder = tempfile::tempdir()?;
//! let url = format!("file://{}", folder.path().display());
//! let store = synix_objects::open(&url, &|_| None)?;
//! let created = store.objects.create("v1/a", b"once".to_vec()).await?;
//! assert_eq!(created, Creation::Created);
//! let again = store.objects.create("v1/a", b"twice".to_vec()).await?;
//! assert_eq!(again, Creation::Exists);
//! assert_eq!(store.objects.get("v1/a", 100).await?.as_deref(), Some(&b"once"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(feature = "cloud")]
mod cloud;
#[cfg(feature = "cloud")]
mod connector;
mod error;
mod open;
mod store;

pub use open::{InvalidStore, OpenedStore, open};
