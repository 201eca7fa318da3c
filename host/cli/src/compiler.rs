//! Compiles components in a child process of this program.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use synix_sandbox::{Compiler, serve_compiler};

/// The first argument of a process that only compiles. It is not a command for users.
const COMPILE_ARGUMENT: &str = "__compile";

/// What to do if the program file cannot be found.
const ADVICE: &str = if cfg!(target_os = "linux") {
    "mount /proc here, then run the command again"
} else {
    "start synix by its full path, then run the command again"
};

/// The program `synix`, which compiles components in a child process.
///
/// This process never compiles them, because an untrusted component could use up its memory.
#[derive(Debug, Clone)]
pub(crate) enum Program {
    File(PathBuf),
    Unknown {
        /// The reason, and what to do about it.
        reason: String,
    },
}

impl Default for Program {
    fn default() -> Self {
        Self::Unknown {
            reason: "no program that compiles plugins is set; set one with `Io::with_program`"
                .to_owned(),
        }
    }
}

impl Program {
    /// Returns the program of this process.
    pub(crate) fn this() -> Self {
        // This path works even after another version has replaced the file.
        let running = PathBuf::from("/proc/self/exe");
        if cfg!(target_os = "linux") && running.exists() {
            return Self::File(running);
        }
        Self::found(std::env::current_exe())
    }

    fn found(program: io::Result<PathBuf>) -> Self {
        match program {
            Ok(program) => Self::File(program),
            Err(error) => Self::Unknown {
                reason: format!(
                    "synix compiles plugins in a child process and cannot find its own program file ({error}); {ADVICE}"
                ),
            },
        }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(program) => Some(program),
            Self::Unknown { .. } => None,
        }
    }

    /// Returns the compiler of components.
    pub(crate) fn compiler(&self) -> Compiler {
        match self {
            Self::File(program) => Compiler::Child {
                program: program.clone(),
                args: vec![COMPILE_ARGUMENT.into()],
            },
            Self::Unknown { reason } => Compiler::Disabled {
                reason: reason.clone(),
            },
        }
    }
}

/// Compiles the component on stdin if this process was started for that. Call this first in `main`.
pub fn serve() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != COMPILE_ARGUMENT {
        return None;
    }
    let served = serve_compiler(args, std::io::stdin().lock(), std::io::stdout().lock());
    Some(match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the parent process reads it")]
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
        let Compiler::Disabled { reason } = Program::found(Err(lost)).compiler() else {
            panic!("something compiles");
        };
        assert!(reason.ends_with(ADVICE), "{reason}");
        assert!(matches!(
            Program::found(Ok(PathBuf::from("synix"))).compiler(),
            Compiler::Child { .. }
        ));
        // A program that embeds the command may set no program either.
        assert!(matches!(
            Program::default().compiler(),
            Compiler::Disabled { .. }
        ));
    }
}
