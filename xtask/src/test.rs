//! Builds everything and runs every test.

use std::process::Command;

use synix_guest_build::toolchain::Toolchain;

use crate::languages;
use crate::setup::{self, Way};
use crate::shell::{self, Failure, root};

/// Runs the task.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(Way::Easiest)?;
    let tools = languages::run_setup()?;
    println!("test");
    let cargo = Toolchain::from_environment().cargo;
    shell::run(
        Command::new(&cargo)
            .args(["test", "--workspace", "--locked"])
            .env("SYNIX_TOOLS", tools)
            .current_dir(root()),
    )
}
