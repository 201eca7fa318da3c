//! Chunks of units travel through the server of Restate: a client for builds, and an endpoint for workers.
//!
//! Restate stores each chunk, hands it to a worker, and repeats it until there is an outcome. This crate owns the two
//! connections to the server and knows a chunk as bytes only. `docs/scale.md` says how to set the server up.
//!
//! ```
//! use std::num::NonZero;
//! use std::sync::Arc;
//! use synix_restate::{EndpointSettings, WorkerEndpoint};
//! use tokio_util::sync::CancellationToken;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let settings = EndpointSettings {
//!     listen: "127.0.0.1:0".parse()?,
//!     jobs: NonZero::<usize>::MIN,
//!     identity_keys: Vec::new(),
//! };
//! let endpoint = WorkerEndpoint::bind(&settings, Arc::new(|chunk: &[u8]| Ok(chunk.to_vec())))?;
//! assert!(endpoint.address().ip().is_loopback());
//! let stop = CancellationToken::new();
//! stop.cancel();
//! endpoint.serve(stop).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod client;
mod endpoint;
mod http_client;
mod register;

pub use client::{EngineSettings, InvalidEngine, RestateEngine};
pub use endpoint::{BindError, ChunkError, ChunkHandler, EndpointSettings, WorkerEndpoint};
pub use register::{RegisterError, register};

/// The service of the workers in the server.
const SERVICE: &str = "synix.Units";
/// Its only handler.
const HANDLER: &str = "run";

/// The largest message of the server, in bytes; its setting `message-size-limit` has this default.
const MAX_MESSAGE: usize = 32 << 20;
