//! Compiles the first-party transforms, whose components are kept in the repository.

use crate::setup::{self, Way};
use crate::shell::{self, Failure, root};

/// Runs the task.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(Way::Easiest)?;
    println!("transforms");
    shell::run(
        shell::cargo()
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
