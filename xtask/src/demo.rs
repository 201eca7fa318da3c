//! Builds the command and runs the demonstration project from its cassettes.

use std::process::Command;

use synix_guest_build::toolchain::Toolchain;

use crate::shell::{self, Failure, root};

/// Runs the task.
pub(crate) fn run() -> Result<(), Failure> {
    println!("demo");
    let cargo = Toolchain::from_environment().cargo;
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
    shell::run(
        Command::new(cargo)
            .args(words)
            .args(demo)
            .current_dir(root()),
    )
}
