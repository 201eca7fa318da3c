//! Gives the outputs of all units the same label.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("fault-one-label", run, []);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    Ok(vec![Output::text("result", "text", input.text()?)])
}
