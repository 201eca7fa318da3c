//! Declares that it asks a model and never does.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("fault-unused-llm", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    Ok(vec![Output::text(
        &input.header.label,
        "text",
        input.text()?,
    )])
}
