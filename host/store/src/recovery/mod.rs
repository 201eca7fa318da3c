//! Protects a state from damage and manipulation, and helps after a loss.
//!
//! | module | when | what it does |
//! | --- | --- | --- |
//! | [`network`] | before a state is opened | refuses a file system that other machines share |
//! | [`seal`] | whenever a row is read | detects rows that were changed after they were written |
//! | [`damage`] | when the database is damaged, empty or missing | examines the file and sets it aside |
//! | [`salvage`] | while the file is examined | reads what is still readable: builds, answers, live batches |
//! | [`marker`] | after that | records the damage in `damage.json`, so that each command refuses |
//! | [`reset`] | when the user passes `--reset-state` | starts a new state and abandons the lost batches |
//!
//! Nothing here repairs a database. The user either restores a copy or starts a new state.

pub(crate) mod damage;
mod marker;
mod network;
mod reset;
mod salvage;
pub(crate) mod seal;

pub use marker::Damage;
pub use network::refuse_network_file_system;
pub use salvage::{LostBatch, RowCount, Salvaged};
