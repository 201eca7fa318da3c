//! Shared answers of two projects.

mod accidents;
mod builds;
mod commands;
pub(crate) mod scenarios;
#[cfg(unix)]
pub(crate) mod torture;
