//! This program as a compiler of components, in a process of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use synix_sandbox::{Compiler, serve_compiler};

/// The first argument of a process that only compiles. It is no command: nobody types it.
const WORD: &str = "__compile";

/// What to do where the program file cannot be found.
const NEXT: &str = if cfg!(target_os = "linux") {
    "mount /proc here, then run the command again"
} else {
    "start synix by its full path, then run the command again"
};

/// The file of the program `synix`, which compiles components in a process of its own.
///
/// Never this process: a stranger's component could take all its memory.
#[derive(Debug, Clone)]
pub(crate) enum Program {
    File(PathBuf),
    Unknown {
        /// Why, and what to do about it.
        reason: String,
    },
}

impl Default for Program {
    fn default() -> Self {
        Self::Unknown {
            reason: "this command was given no program that compiles plugins: name one with `Io::with_program`"
                .to_owned(),
        }
    }
}

impl Program {
    /// Returns the program that runs.
    pub(crate) fn this() -> Self {
        // Also there after the file was replaced by another version while this one runs.
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
                    "synix compiles plugins in a process of its own and cannot find its own program file ({error}); {NEXT}"
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

    /// Returns who compiles components.
    pub(crate) fn compiler(&self) -> Compiler {
        match self {
            Self::File(program) => Compiler::Child {
                program: program.clone(),
                args: vec![WORD.into()],
            },
            Self::Unknown { reason } => Compiler::Disabled {
                reason: reason.clone(),
            },
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_program_file_nothing_is_compiled() {
        let lost = io::Error::from(io::ErrorKind::NotFound);
        let Compiler::Disabled { reason } = Program::found(Err(lost)).compiler() else {
            panic!("something compiles");
        };
        assert!(reason.ends_with(NEXT), "{reason}");
        assert!(matches!(
            Program::found(Ok(PathBuf::from("synix"))).compiler(),
            Compiler::Child { .. }
        ));
        // Nor where a program that embeds the command names no other.
        assert!(matches!(
            Program::default().compiler(),
            Compiler::Disabled { .. }
        ));
    }
}
