//! Puts the address of a text into its question.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("fault-address", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let text = input.text()?.to_owned();
    let question = format!("{text} at {:p}", text.as_ptr());
    let answer = synix_plugin::complete(&Request::user(question))?.text;
    Ok(vec![Output::text(&input.header.label, "text", answer)])
}
