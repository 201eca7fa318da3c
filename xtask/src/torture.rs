//! Runs long sequences of faults and kills, of the state machine and of whole processes, and then the fuzz targets.

use crate::fuzz;
use crate::setup::{self, LibrarySource};
use crate::shell::{self, Failure, root};

/// Runs the task. Both arguments must be numbers.
pub(crate) fn run(sequences: &str, seed: &str) -> Result<(), Failure> {
    for number in [sequences, seed] {
        if number.parse::<u64>().is_err() {
            return Err(Failure(format!("{number:?} is not a number")));
        }
    }
    setup::run(LibrarySource::Easiest)?;
    println!("torture");
    let words = [
        "test",
        "--workspace",
        "--locked",
        "--lib",
        "--test",
        "suite",
        "no_sequence_of",
        "--",
        "--nocapture",
    ];
    shell::run(
        shell::cargo()
            .args(words)
            .env("SYNIX_TORTURE", sequences)
            .env("SYNIX_TORTURE_SEED", seed)
            .current_dir(root()),
    )?;
    fuzz::run(fuzz::SECONDS, None)
}
