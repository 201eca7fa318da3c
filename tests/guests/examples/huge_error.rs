//! Fails with a text of 20 MB.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("huge-error", run);

fn run(_: &Input) -> Result<Vec<Output>, Error> {
    Err(Error::InvalidInput("woe ".repeat(5_000_000)))
}
