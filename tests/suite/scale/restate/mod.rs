//! Units on other machines, through the server of Restate.

mod builds;
mod kills;
mod machines;
mod refusals;
