//! Commands that show artifacts, builds and their status.

mod artifacts;
mod names;
mod status;
mod whole_outputs;
