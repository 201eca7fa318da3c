//! Builds the command as it is released and measures it.

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
    let words = ["bench", "--locked", "--workspace", "--bench", "speed", "--"];
    shell::run(shell::cargo().args(words).args(parts).current_dir(root()))
}
