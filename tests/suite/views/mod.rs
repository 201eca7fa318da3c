//! Commands that show artifacts, builds and their status.

mod artifacts;
mod costs;
mod diff;
mod downstream;
mod export;
mod log;
mod names;
mod pages;
mod search;
mod status;
mod whole_outputs;
