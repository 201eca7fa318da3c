//! The command `synix`: arguments, one call to the library, words and an exit code.

#![forbid(unsafe_code)]

mod args;
mod bars;
mod commands;
mod compiler;
mod failure;
mod layer_progress;
mod progress;
mod quantity;
mod render;
mod running;
mod table;
mod usage;

use std::process::ExitCode;

use clap::Parser as _;

use args::Args;
use failure::Exit;
use render::{Screen, Talk};

fn main() -> ExitCode {
    if let Some(code) = compiler::serve() {
        return code;
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage::answer(&error).into(),
    };
    let screen = Screen::new(args.global.json, args.global.talk());
    match run(&args, &screen) {
        Ok(exit) => exit.into(),
        Err(error) => failure::report(&error, &screen).into(),
    }
}

fn run(args: &Args, screen: &Screen) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.global.directory {
        std::env::set_current_dir(folder).map_err(|error| {
            failure::Usage(format!("cannot go to {}: {error}", folder.display()))
        })?;
    }
    commands::run(args, screen)
}

/// The screen before the arguments are known.
fn bare_screen() -> Screen {
    let wants_json = std::env::args_os()
        .take_while(|argument| argument != "--")
        .any(|argument| argument == "--json");
    Screen::new(wants_json, Talk::Normal)
}
