//! Asks at a temperature that is no number.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("bad-request", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    synix_plugin::complete(&Request::user("?").temperature(f64::NAN))?;
    Ok(vec![Output::text(&input.header.label, "text", "done")])
}
