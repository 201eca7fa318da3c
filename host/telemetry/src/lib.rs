//! Traces and metrics of builds, sent to a receiver of OpenTelemetry (OTLP over HTTP).
//!
//! A thread of its own follows the record of a build in the state and sends what has settled, a page at a time. The
//! build does not wait for it, and what was not sent yet is not in memory. So a receiver that is away, slow or
//! confused costs spans and nothing else. Ids are derived from the build and the row, so a build that another process
//! resumes continues the same trace.
//!
//! The crate reads no environment: its caller passes the variables.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod attributes;
mod contents;
mod endpoint;
mod follow;
mod http;
mod ids;
mod json;
mod metrics;
mod outlet;
mod queue;
mod report;
mod resource;
mod sampler;
mod settings;
mod spans;
mod thread;
mod variables;
mod wire;
mod worker;

pub use settings::Settings;
pub use thread::{BuildEnd, Delivery, StartError, Telemetry, TracedBuild};
