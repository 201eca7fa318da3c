//! Builds the command as it is released and measures it.

use std::process::Command;

use synix_guest_build::toolchain::Toolchain;

use crate::languages;
use crate::setup::{self, Way};
use crate::shell::{self, Failure, root};

/// Runs the task, of all parts where none is named.
pub(crate) fn run(parts: &[&str]) -> Result<(), Failure> {
    setup::run(Way::Easiest)?;
    if parts.is_empty() || parts.contains(&"languages") {
        languages::run_setup()?;
    }
    println!("bench");
    let cargo = Toolchain::from_environment().cargo;
    let words = ["bench", "--locked", "--workspace", "--bench", "speed"];
    shell::run(
        Command::new(cargo)
            .args(words)
            .arg("--")
            .args(parts)
            .current_dir(root()),
    )
}
