//! Gives its output a kind with a NUL character.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("bad-kind", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    Ok(vec![Output::text(&input.header.label, "te\0xt", "fine")])
}
