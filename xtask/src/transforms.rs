//! Compiles the first-party transforms. The repository contains their components.

use crate::setup::{self, LibrarySource};
use crate::shell::{self, Failure, root};

pub(crate) fn run() -> Result<(), Failure> {
    setup::run(LibrarySource::Easiest)?;
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
