//! Looks for a folder to open, for an environment and for something to read.

use synix_plugin::{Error, Input, Output};
use synix_test_guests::wasi::wasi::cli::{environment, stdin};
use synix_test_guests::wasi::wasi::filesystem::preopens;

synix_test_guests::guest!("wasi-files", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let folders = preopens::get_directories().len();
    let variables = environment::get_environment().len() + environment::get_arguments().len();
    let typed = match stdin::get_stdin().blocking_read(64) {
        Ok(bytes) => format!("{} bytes", bytes.len()),
        Err(end) => end.to_string(),
    };
    let text = format!("{folders} folders, {variables} variables and arguments, stdin: {typed}");
    Ok(vec![Output::text(&input.header.label, "text", text)])
}
