//! Shared answers of two projects.

mod accidents;
mod builds;
mod commands;
#[cfg(unix)]
mod heartbeats;
pub(crate) mod scenarios;
#[cfg(unix)]
pub(crate) mod torture;
