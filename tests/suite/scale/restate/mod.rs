//! Units and builds on other machines, through the server of Restate.

mod builds;
mod kills;
mod machines;
mod refusals;
mod service;
mod service_kills;
mod twins;
