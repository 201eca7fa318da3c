//! Makes an output although its question was refused.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("fault-swallow", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let answer = synix_plugin::complete(&Request::user(input.text()?));
    let text = answer.map_or_else(|_| String::new(), |answer| answer.text);
    Ok(vec![Output::text(&input.header.label, "text", text)])
}
