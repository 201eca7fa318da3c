//! Simulates many hosts with one set of answers.

use crate::shell::{self, Failure, root};

/// Prints the tables of `docs/scale.md` for a seed.
pub(crate) fn run(seed: &str) -> Result<(), Failure> {
    let words = "run --release --locked --package synix-simulation --";
    let mut command = shell::cargo();
    command.args(words.split(' ')).arg(seed);
    shell::run(command.current_dir(root()))
}
