//! Compiles the first-party transforms and readers. The repository contains their components.

use crate::setup::{self, LibrarySource};
use crate::shell::{self, Failure, root};

pub(crate) fn run() -> Result<(), Failure> {
    setup::run(LibrarySource::Easiest)?;
    println!("components");
    shell::run(
        shell::cargo()
            .args([
                "run",
                "--locked",
                "--package",
                "synix-guest-build",
                "--features",
                "first-party",
                "--bin",
                "first-party",
            ])
            .current_dir(root()),
    )
}
