//! Asks a question of 100 MB.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("huge-request", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    synix_plugin::complete(&Request::user("x".repeat(100_000_000)))?;
    Ok(vec![Output::text(&input.header.label, "text", "done")])
}
