//! Looks for a folder to open and for an environment.

use synix_plugin::{Error, Input, Output};
use synix_test_guests::wasi::wasi::cli::environment;
use synix_test_guests::wasi::wasi::filesystem::preopens;

synix_test_guests::guest!("wasi-files", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let folders = preopens::get_directories().len();
    let variables = environment::get_environment().len() + environment::get_arguments().len();
    let text = format!("{folders} folders, {variables} variables and arguments");
    Ok(vec![Output::text(&input.header.label, "text", text)])
}
