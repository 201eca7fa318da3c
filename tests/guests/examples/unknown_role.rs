//! Asks a model role that the pipeline does not have.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("unknown-role", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    synix_plugin::complete(&Request::user("?").model("oracle"))?;
    Ok(vec![Output::text(&input.header.label, "text", "done")])
}
