//! The command `synix` as a library: it parses arguments, calls the other crates, and prints results and errors.
//!
//! [`run`] uses no global state of the process: the environment, the current folder and the streams are values, so a test
//! needs no process of its own.
//!
//! ```
//! use synix::{Environment, Io};
//!
//! let (io, printed) = Io::captured(Environment::default());
//! assert_eq!(synix::run(["--version"], io), 0);
//! assert!(printed.stdout().starts_with("synix "));
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod args;
mod bars;
mod color;
mod commands;
mod compiler;
mod failure;
mod io;
mod layer_progress;
mod lines;
mod log;
mod progress;
mod quantity;
mod render;
mod running;
mod side_by_side;
mod table;
mod totals;
mod usage;

use std::ffi::OsString;
use synix_core::exit_code::ExitCode;

use clap::Parser as _;

use args::{Args, Global};
use color::Color;
use render::{Screen, Verbosity};

pub use compiler::serve as compile_if_asked;
pub use io::{Captured, Io, Output};
pub use synix_project::Environment;

/// Runs a command and returns its exit code. The arguments do not include the name of the program.
pub fn run<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>, io: Io) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let (process, streams) = io.split();
    let mut screen = Screen::new(streams);
    // Invalid arguments are reported according to those arguments that can be read.
    let readable = || arguments.iter().take_while(|argument| *argument != "--");
    let wants_json = readable().any(|argument| argument == "--json");
    let color = Color::from_arguments(readable());
    screen.configure(wants_json, Verbosity::Normal, color, &process.environment);
    let command_line = std::iter::once(OsString::from("synix")).chain(arguments);
    let exit = match Args::try_parse_from(command_line) {
        Ok(mut args) => {
            let Global { json, color, .. } = args.global;
            let verbosity = args.global.verbosity();
            screen.configure(json, verbosity, color, &process.environment);
            run_parsed(&mut args, process, &screen)
        }
        Err(error) => usage::print(&error, &screen),
    };
    exit.code()
}

fn run_parsed(args: &mut Args, process: io::ProcessEnvironment, screen: &Screen) -> ExitCode {
    let outcome = match args.global.enter(process) {
        Ok(()) => match args.global.log() {
            Ok(filter) => {
                let dispatch = screen.dispatch(filter);
                tracing::dispatcher::with_default(&dispatch, || commands::run(args, screen))
            }
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    };
    outcome.unwrap_or_else(|error| failure::report(&error, screen))
}
