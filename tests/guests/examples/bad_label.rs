//! Gives its output a label with a line break.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("bad-label", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    Ok(vec![Output::text(
        format!("{}\n", input.header.label),
        "text",
        "fine",
    )])
}
