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
    // The command is built alone, as for a release: no other package enables features of its dependencies.
    let build = "build --release --locked --package synix --bin synix";
    let measure = "run --release --locked --package synix-bench --features measure --";
    cargo(build, &[])?;
    cargo(measure, parts)
}

fn cargo(words: &str, more: &[&str]) -> Result<(), Failure> {
    let mut command = shell::cargo();
    command.args(words.split(' ')).args(more);
    shell::run(command.current_dir(root()))
}
