//! Prints to both streams, one line in pieces; fails when told to.

use synix_plugin::{Error, Input, Output};
use synix_test_guests::wasi::wasi::cli::stderr::get_stderr;
use synix_test_guests::wasi::wasi::cli::stdout::get_stdout;

synix_test_guests::guest!("wasi-print", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let (stdout, stderr) = (get_stdout(), get_stderr());
    for piece in ["printed ", "in pieces\nand "] {
        let _ = stdout.blocking_write_and_flush(piece.as_bytes());
    }
    synix_plugin::log::write(synix_plugin::log::Level::Debug, "logged between");
    let _ = stdout.blocking_write_and_flush(b"not ended");
    let _ = stderr.blocking_write_and_flush(b"warned\n");
    if input.text()?.trim() == "die" {
        let _ = stderr.blocking_write_and_flush(b"ValueError: cannot go on\n");
        std::process::abort();
    }
    Ok(vec![Output::text(&input.header.label, "text", "done")])
}
