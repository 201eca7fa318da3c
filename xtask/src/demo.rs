//! Builds the command and runs the demonstration project from its cassettes.
//!
//! It builds the debug binary, as the tests do, so both share most compiled crates. A release build takes twice as long.

use crate::shell::{self, Failure, root};

pub(crate) fn run() -> Result<(), Failure> {
    println!("demo");
    let words = [
        "run",
        "--locked",
        // Without the formats that take long to compile.
        "--no-default-features",
        "--package",
        "synix",
        "--bin",
        "synix",
        "--",
    ];
    let demo = ["test", "templates/chat-memory"];
    shell::run(shell::cargo().args(words).args(demo).current_dir(root()))
}
