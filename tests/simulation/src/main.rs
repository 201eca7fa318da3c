//! Simulates many hosts with one set of answers, in virtual time, and prints what limits them: `cargo xtask simulate`.
//!
//! The hosts run the real client of shared answers (`synix-shared`). The store, the provider, the network and the clocks
//! are simulated from a seed. `docs/scale.md` has the tables and says where the numbers come from.

#![forbid(unsafe_code)]

mod batches;
mod host;
mod leases;
mod provider;
mod queue;
mod random;
mod report;
mod store;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seed = match arguments.next().map(|seed| seed.parse::<u64>()) {
        None => 1,
        Some(Ok(seed)) => seed,
        Some(Err(_)) => return usage(),
    };
    if arguments.next().is_some() {
        return usage();
    }
    report::print(seed);
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "a command reports how it is used")]
fn usage() -> ExitCode {
    eprintln!("usage: synix-simulation [SEED]");
    ExitCode::from(2)
}
