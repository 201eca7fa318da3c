//! A build system for LLM-derived data.
//!
//! Sources become artifacts through layers of transforms. A transform is a
//! sandboxed WASM component: a pure function from a unit and the answers it
//! asked for to outputs. The host owns the answers: it asks a provider now,
//! sends a batch, or reads a cassette, and asks each question once.
//!
//! A module names only those of lower rows:
//!
//! ```text
//! 8  project                                paths, settings, credentials; opens everything else
//! 7  build                                  the scheduler and its answerers
//! 6  author · batch · view                  what a plugin's author uses; submissions, from requests to rows; what a person is shown
//! 5  plan                                   what a build would do
//! 4  store · plugin · llm · source · registry   disk, guests, models, raw files, plugins from elsewhere
//! 3  artifact · pipeline · price            what it is about, and what it costs
//! 2  ids · fingerprint · request            names, and what was asked
//! 1  digest · json · clock · disk · crash · printable · schema · error_kind
//!                                           know nothing of synix
//! ```
//!
//! The library never prints and reads the environment in [`project`] alone.

#![warn(missing_docs)]

pub mod artifact;
pub mod author;
pub mod batch;
pub mod build;
pub mod clock;
pub mod crash;
pub mod digest;
pub mod disk;
pub mod error_kind;
pub mod fingerprint;
pub mod ids;
pub mod json;
pub mod llm;
#[cfg(test)]
mod mangle;
pub mod pipeline;
pub mod plan;
pub mod plugin;
pub mod price;
pub mod printable;
pub mod project;
pub mod registry;
pub mod request;
pub mod schema;
pub mod source;
pub mod store;
pub mod view;
