//! Asks for more random bytes than there is memory, then for streams without end.

use synix_plugin::{Error, Input, Output};
use synix_test_guests::wasi::wasi::cli::stdout::get_stdout;
use synix_test_guests::wasi::wasi::random::random;

synix_test_guests::guest!("wasi-hoard", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    if input.text()?.trim() == "bytes" {
        let _ = random::get_random_bytes(1 << 40);
    }
    let mut streams = Vec::new();
    loop {
        streams.push(get_stdout());
    }
}
