//! The command `synix` as a library: arguments and surroundings in, words and an exit code out.
//!
//! [`run`] reads nothing of the process by itself: the environment, the current folder and the three streams are
//! values, so that a test needs no process.
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
mod table;
mod totals;
mod usage;

use synix_core::exit_code::ExitCode;
use std::ffi::OsString;

use clap::Parser as _;

use args::{Args, Global};
use color::Color;
use render::{Screen, Verbosity};

pub use compiler::serve as compile_if_asked;
pub use io::{Captured, Io, Output};
pub use synix_project::Environment;

/// Runs a command, whose arguments come without the name of the program, and returns its exit code.
pub fn run<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>, io: Io) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let (surroundings, streams) = io.split();
    let mut screen = Screen::new(streams);
    // What is said of wrong arguments follows those that can be read all the same.
    let readable = || arguments.iter().take_while(|argument| *argument != "--");
    let wants_json = readable().any(|argument| argument == "--json");
    let color = Color::among(readable());
    screen.listen(
        wants_json,
        Verbosity::Normal,
        color,
        &surroundings.environment,
    );
    let words = std::iter::once(OsString::from("synix")).chain(arguments);
    let exit = match Args::try_parse_from(words) {
        Ok(mut args) => {
            let Global { json, color, .. } = args.global;
            let talk = args.global.talk();
            screen.listen(json, talk, color, &surroundings.environment);
            perform(&mut args, surroundings, &screen)
        }
        Err(error) => usage::answer(&error, &screen),
    };
    exit.code()
}

fn perform(args: &mut Args, surroundings: io::ProcessEnvironment, screen: &Screen) -> ExitCode {
    let outcome = match args.global.enter(surroundings) {
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
