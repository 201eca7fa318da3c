//! Runs the tests that need servers which synix works with on several machines, and gets these servers.
//!
//! Everything comes from package registries and goes into a folder of the target folder. A server that cannot be had is an
//! error: a tier that skips its tests proves nothing.

mod restate;
mod s3;

use crate::setup::{self, LibrarySource};
use crate::shell::{self, Failure, root};

/// Gets the servers and runs the module `scale` of the suite.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(LibrarySource::Easiest)?;
    println!("setting up servers");
    let restate = restate::find_or_install()?;
    let s3 = s3::find_or_install()?;
    println!("test");
    let words = [
        "test",
        "--workspace",
        "--locked",
        "--test",
        "suite",
        "--",
        "scale::",
    ];
    shell::run(
        shell::cargo()
            .args(words)
            .env(restate::VARIABLE, restate)
            .env(s3::VARIABLE, s3)
            .current_dir(root()),
    )
}
