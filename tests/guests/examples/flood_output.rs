//! Gives an output of 100 MB.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("flood-output", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    Ok(vec![Output::text(
        &input.header.label,
        "text",
        "x".repeat(100_000_000),
    )])
}
