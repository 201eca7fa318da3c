//! Builds the command and runs the demonstration project from its cassettes.
//!
//! As the tests build it, which share most of what is compiled: the command as it is used takes the compiler twice as long.

use crate::shell::{self, Failure, root};

/// Runs the task.
pub(crate) fn run() -> Result<(), Failure> {
    println!("demo");
    let words = [
        "run",
        "--locked",
        "--package",
        "synix",
        "--bin",
        "synix",
        "--",
    ];
    let demo = ["test", "templates/team-report"];
    shell::run(shell::cargo().args(words).args(demo).current_dir(root()))
}
