//! Exits as a program would.

use synix_plugin::{Error, Input, Output};
use synix_test_guests::wasi::wasi::cli::exit::exit;

synix_test_guests::guest!("wasi-exit", run);

fn run(_: &Input) -> Result<Vec<Output>, Error> {
    exit(Err(()));
    Ok(Vec::new())
}
