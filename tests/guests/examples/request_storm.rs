//! Asks 100,000 questions at once.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("request-storm", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let question = Request::user("?");
    synix_plugin::complete_all(&vec![question; 100_000])?;
    Ok(vec![Output::text(&input.header.label, "text", "done")])
}
