//! Runs the sequences of faults and kills at length, those of the state machine and those of whole processes, and
//! then the fuzz targets.

use crate::fuzz;
use crate::setup::{self, Way};
use crate::shell::{self, Failure, root};

/// Runs the task. Both arguments are numbers in words.
pub(crate) fn run(sequences: &str, seed: &str) -> Result<(), Failure> {
    for number in [sequences, seed] {
        if number.parse::<u64>().is_err() {
            return Err(Failure(format!("{number:?} is not a number")));
        }
    }
    setup::run(Way::Easiest)?;
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
