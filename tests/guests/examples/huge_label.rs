//! Gives its output a label of 1 MB.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("huge-label", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let label = input.header.label.repeat(1_000_000);
    Ok(vec![Output::text(label, "text", "fine")])
}
