//! This program as a compiler of components, in a process of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use synix_sandbox::{Compiler, serve_compiler};

/// The first argument of a process that only compiles. It is no command: nobody types it.
const WORD: &str = "__compile";

/// Returns how this program has components compiled; without a program, within this process.
pub(crate) fn compiler(program: Option<&PathBuf>) -> Compiler {
    match program {
        Some(program) => Compiler::Child {
            program: program.clone(),
            args: vec![WORD.into()],
        },
        None => Compiler::InProcess,
    }
}

/// Returns the file of the program that runs.
pub(crate) fn this_program() -> Option<PathBuf> {
    // Also there after the file was replaced by another version while this one runs.
    let running = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() {
        return Some(running);
    }
    std::env::current_exe().ok()
}

/// Compiles what stands on stdin, if this process was started for that; a program calls this first of all.
pub fn serve() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != WORD {
        return None;
    }
    let served = serve_compiler(args, std::io::stdin().lock(), std::io::stdout().lock());
    Some(match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the process that asked reads it")]
            {
                eprintln!("{error}");
            }
            ExitCode::FAILURE
        }
    })
}
