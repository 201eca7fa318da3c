//! Compiles the first-party transforms, whose components are kept in the repository.

use std::process::Command;

use synix_guest_build::toolchain::Toolchain;

use crate::setup::{self, Way};
use crate::shell::{self, Failure, root};

/// Runs the task.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(Way::Easiest)?;
    println!("transforms");
    let cargo = Toolchain::from_environment().cargo;
    shell::run(
        Command::new(cargo)
            .args([
                "run",
                "--locked",
                "--package",
                "synix-guest-build",
                "--bin",
                "first-party",
            ])
            .current_dir(root()),
    )
}
