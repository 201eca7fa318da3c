//! This program as a compiler of components, in a process of its own.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use synix_sandbox::{Compiler, serve_compiler};

/// The first argument of a process that only compiles. It is no command: nobody types it.
const WORD: &str = "__compile";

/// Returns how this program has components compiled.
pub(crate) fn of_this_program() -> Compiler {
    // Also there after the file was replaced by another version while this one runs.
    let running = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() {
        return by(Ok(running));
    }
    by(std::env::current_exe())
}

/// Returns a program of this kind as the compiler. Never this process: a stranger's component could take all its memory.
fn by(program: io::Result<PathBuf>) -> Compiler {
    match program {
        Ok(program) => Compiler::Child {
            program,
            args: vec![WORD.into()],
        },
        Err(error) => Compiler::Nobody {
            reason: format!(
                "synix compiles plugins in a process of its own and cannot find its own program file ({error}); {NEXT}"
            ),
        },
    }
}

/// What to do where the program file cannot be found.
const NEXT: &str = if cfg!(target_os = "linux") {
    "mount /proc here, then run the command again"
} else {
    "start synix by its full path, then run the command again"
};

/// Compiles what stands on stdin, if this process was started for that.
pub(crate) fn serve() -> Option<ExitCode> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_program_file_nothing_is_compiled() {
        let lost = io::Error::from(io::ErrorKind::NotFound);
        let Compiler::Nobody { reason } = by(Err(lost)) else {
            panic!("something compiles");
        };
        assert!(reason.ends_with(NEXT), "{reason}");
        assert!(matches!(
            by(Ok(PathBuf::from("synix"))),
            Compiler::Child { .. }
        ));
    }
}
