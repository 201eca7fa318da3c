//! Gives the outputs of all units one label.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("forged-labels", run);

fn run(_: &Input) -> Result<Vec<Output>, Error> {
    Ok(vec![Output::text("mine", "text", "fine")])
}
