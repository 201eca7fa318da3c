//! Builds the release binary and measures it.

use crate::languages;
use crate::setup::{self, LibrarySource};
use crate::shell::{self, Failure, root};

/// Runs the named parts of the benchmark, or all parts.
pub(crate) fn run(parts: &[&str]) -> Result<(), Failure> {
    setup::run(LibrarySource::Easiest)?;
    if parts.is_empty() || parts.contains(&"languages") {
        languages::run_setup()?;
    }
    println!("bench");
    let arguments = ["bench", "--locked", "--workspace", "--bench", "speed", "--"];
    shell::run(
        shell::cargo()
            .args(arguments)
            .args(parts)
            .current_dir(root()),
    )
}
