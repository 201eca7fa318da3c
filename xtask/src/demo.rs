//! Builds the command and runs the demonstration project from its cassettes.
//!
//! As the tests build it, which share most of what is compiled: the command as it is used takes the compiler twice as long.

use std::process::Command;

use synix_guest_build::toolchain::Toolchain;

use crate::shell::{self, Failure, root};

/// Runs the task.
pub(crate) fn run() -> Result<(), Failure> {
    println!("demo");
    let cargo = Toolchain::from_environment().cargo;
    let words = [
        "run",
        "--locked",
        "--package",
        "synix",
        "--bin",
        "synix",
        "--",
    ];
    let demo = ["demo", "run", "templates/team-report"];
    shell::run(
        Command::new(cargo)
            .args(words)
            .args(demo)
            .current_dir(root()),
    )
}
