//! Builds that outlive the machine that asks for them: a service that runs them, and its client.
//!
//! A service has projects with their states and keys. A server of Restate keeps each job, and calls the service for one
//! turn after another: it measures the time between the polls of batches, and repeats a turn that was lost with its
//! machine. What a build has done is in the state of its project, as ever. `docs/scale.md` says how to set it up.
//!
//! ```
//! use synix_project::{EngineChoice, Environment, Options};
//! use synix_service::{JobOptions, RemoteBuilds, ServiceError};
//!
//! let options = Options {
//!     // Nobody listens there.
//!     engine: Some(EngineChoice::Restate("http://127.0.0.1:9".to_owned())),
//!     ..Options::default()
//! };
//! let builds = RemoteBuilds::open(&options, Some("notes"))?;
//! let error = builds.submit(None, &JobOptions::default()).unwrap_err();
//! assert!(matches!(error, ServiceError::Unavailable { .. }));
//! # Ok::<(), ServiceError>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod documents;
mod error;
mod event;
mod names;
mod questions;
mod remote;
mod report;
mod running;
mod service;
mod turns;

pub use documents::JobOptions;
pub use error::{RemoteCause, RemoteMessage, ServiceError};
pub use event::ServiceEvent;
pub use names::is_job;
pub use remote::{RemoteBuilds, SubmittedJob};
pub use report::{JobReport, JobState};
pub use service::{ServedProject, ServiceOptions, run_service};
