//! Panics with a message that names its input.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("panic", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    panic!("cannot bear the input {}", input.header.label);
}
