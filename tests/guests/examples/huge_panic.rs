//! Panics with a text of 20 MB.

use synix_plugin::{Error, Input, Output};

synix_test_guests::guest!("huge-panic", run);

fn run(_: &Input) -> Result<Vec<Output>, Error> {
    panic!("{}", "woe ".repeat(5_000_000));
}
