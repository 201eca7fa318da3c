//! Builds the command and runs the demonstration project from its cassettes.

use crate::shell::{self, Failure, root};

/// Runs the task.
pub(crate) fn run() -> Result<(), Failure> {
    println!("demo");
    let words = [
        "run",
        "--release",
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
