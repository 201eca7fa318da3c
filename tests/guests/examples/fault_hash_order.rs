//! Puts words into its question in the order of a hash map.

use std::collections::HashMap;

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("fault-hash-order", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let counted: HashMap<usize, usize> = (0..64).map(|number| (number, number)).collect();
    let order: Vec<String> = counted.keys().map(usize::to_string).collect();
    let question = format!("{}: {}", input.text()?, order.join(" "));
    let answer = synix_plugin::complete(&Request::user(question))?.text;
    Ok(vec![Output::text(&input.header.label, "text", answer)])
}
