//! Prints 100 MB.

use synix_plugin::{Error, Input, Output};
use synix_test_guests::wasi::wasi::cli::stdout::get_stdout;

synix_test_guests::guest!("wasi-flood", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let stdout = get_stdout();
    let line = [b'x'; 4000];
    for _ in 0..25_000 {
        // That a stream is closed would be known from the first write on.
        let _ = stdout.blocking_write_and_flush(&line);
        let _ = stdout.blocking_write_and_flush(b"\n");
    }
    Ok(vec![Output::text(&input.header.label, "text", "done")])
}
