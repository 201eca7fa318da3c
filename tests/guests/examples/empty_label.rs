//! Gives its output no label.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("empty-label", run);

fn run(_: &Input) -> Result<Vec<Output>, Error> {
    Ok(vec![Output::text("", "text", "fine")])
}
