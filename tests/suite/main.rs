//! The suite drives the command `synix` as a user does, against a scripted provider on this machine.
//!
//! A folder for each topic, and in it a file for each area of behaviour; [`support`] has what they share. A test of a
//! promise in the list of known failures (M1, A2, …) names its row in its doc line.

#![allow(
    clippy::disallowed_methods,
    reason = "a test prepares the files that a user would write"
)]
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not expect ends it"
)]

mod batches;
mod builds;
mod cli;
mod crash;
mod embeddings;
mod failures;
mod hostile_plugins;
mod hostile_projects;
mod hostile_reading;
mod mcp;
mod plans;
mod plugin_check;
mod plugin_languages;
mod plugin_references;
mod plugins;
mod python_wheel;
mod readers;
mod releases;
mod replies;
mod repository;
mod scale;
mod shared;
mod state;
mod suite_checks;
mod support;
mod telemetry;
mod torture;
mod transforms;
mod trials;
mod trust;
mod views;
mod web_page;
