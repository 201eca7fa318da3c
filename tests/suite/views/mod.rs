//! Commands that show artifacts, builds and their status.

mod artifacts;
mod diff;
mod downstream;
mod export;
mod log;
mod names;
mod search;
mod status;
mod whole_outputs;
