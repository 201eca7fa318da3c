//! Compiles the first-party transforms and readers into `host/components/packed`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command reports what it did"
)]

use std::path::Path;
use std::process::ExitCode;

use synix_guest_build::first_party;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = root.canonicalize().map_err(|error| error.to_string());
    let built = built.and_then(|root| first_party::build(&root).map_err(|error| error.report()));
    match built {
        Ok(changed) if changed.is_empty() => println!("no component changed"),
        Ok(changed) => println!("changed: {}", changed.join(", ")),
        Err(report) => {
            eprintln!("error: {report}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
