//! Asks a second question that holds the first answer.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("two-steps", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let first = synix_plugin::complete(&Request::user(format!("First: {}", input.text()?)))?.text;
    let second = synix_plugin::complete(&Request::user(format!("Second: {first}")))?.text;
    Ok(vec![Output::text(&input.header.label, "text", second)])
}
