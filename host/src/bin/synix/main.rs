//! The command `synix`: arguments, one call to the library, words and an exit code.

mod args;
mod bars;
mod commands;
mod compiler;
mod failure;
mod progress;
mod quantity;
mod render;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    if let Some(code) = compiler::serve() {
        return code;
    }
    let args = args::Args::parse();
    let screen = render::Screen::new(args.global.json);
    match commands::run(&args, &screen) {
        Ok(exit) => exit.into(),
        Err(error) => failure::report(&error, &screen).into(),
    }
}
