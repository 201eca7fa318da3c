//! Builds: their modes, fingerprints, limits, costs, interruptions and concurrent commands.

mod budget;
mod concurrent_commands;
mod connections;
mod costs;
mod fingerprints;
mod interrupted_guests;
mod interrupts;
mod limits;
mod modes;
mod on_done;
mod replay;
mod sources;
mod unchanged_layers;
mod waiting_for_others;
mod watch;
