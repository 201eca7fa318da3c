//! Builds everything and runs every test.

use crate::languages;
use crate::setup::{self, Way};
use crate::shell::{self, Failure, root};

/// Runs the task.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(Way::Easiest)?;
    let tools = languages::run_setup()?;
    println!("test");
    shell::run(
        shell::cargo()
            .args(["test", "--workspace", "--locked"])
            .env("SYNIX_TOOLS", tools)
            .current_dir(root()),
    )
}
