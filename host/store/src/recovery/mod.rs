//! What protects a state from damage and from strangers, and what helps after a loss.
//!
//! | module | when it acts | what it does |
//! | --- | --- | --- |
//! | [`network`] | before a state is opened | refuses a file system that other machines share |
//! | [`seal`] | whenever a row is read | finds rows that were changed after they were written |
//! | [`damage`] | when the database is damaged, empty or missing | examines the file and sets it aside |
//! | [`salvage`] | while the file is examined | reads what it still shows: builds, answers, live batches |
//! | [`marker`] | from then on | keeps the damage on record in `damage.json` and makes each command refuse |
//! | [`reset`] | when the user passes `--reset-state` | starts a new state and abandons the lost batches |
//!
//! Nothing here repairs a database. Either the user puts a copy back, or the state begins anew.

pub(crate) mod damage;
mod marker;
mod network;
mod reset;
mod salvage;
pub(crate) mod seal;

pub use marker::Damage;
pub use network::refuse_network;
pub use salvage::{Count, LostBatch, Salvaged};
