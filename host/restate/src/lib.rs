//! Chunks of units and whole builds travel through the server of Restate: clients, and endpoints for workers and services.
//!
//! Restate stores each chunk, hands it to a worker, and repeats it until there is an outcome. It stores each job of a
//! service, and calls the service turn by turn until the build has ended. This crate owns the connections to the server:
//! it knows a chunk as bytes and a job as a text. `docs/scale.md` says how to set the server up.
//!
//! ```
//! use std::num::NonZero;
//! use std::sync::Arc;
//! use synix_restate::{Endpoint, EndpointSettings};
//! use tokio_util::sync::CancellationToken;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let settings = EndpointSettings {
//!     listen: "127.0.0.1:0".parse()?,
//!     jobs: NonZero::<usize>::MIN,
//!     identity_keys: Vec::new(),
//! };
//! let endpoint = Endpoint::of_worker(&settings, Arc::new(|chunk: &[u8]| Ok(chunk.to_vec())))?;
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
mod service_names;

pub use client::{EngineSettings, InvalidEngine, RestateEngine, ServiceClient, ServiceError};
pub use endpoint::{
    BindError, BuildService, ChunkHandler, Endpoint, EndpointError, EndpointSettings, Progress,
};
pub use register::{RegisterError, register};

/// The largest message of the server, in bytes; its setting `message-size-limit` has this default.
const MAX_MESSAGE: usize = 32 << 20;
