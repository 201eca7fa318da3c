//! The errors of compiling a crate to a component.
//!
//! The implementations are written by hand: `xtask` compiles this crate on every fresh machine, and a derive macro would take longer to compile than the rest.

use std::path::PathBuf;
use std::{error, fmt, io};

/// Why a guest could not be compiled.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A variable that cargo sets for build scripts is missing.
    NoVariable {
        /// The name of the variable.
        name: &'static str,
    },
    /// No enclosing folder has a `Cargo.lock`.
    NoWorkspace {
        /// The folder in which the search began.
        from: PathBuf,
    },
    /// A program could not be started.
    Start {
        /// The program and its arguments.
        command: String,
        /// The cause.
        source: io::Error,
    },
    /// A program failed.
    Failed {
        /// The program and its arguments.
        command: String,
        /// What the program wrote to stderr.
        stderr: String,
    },
    /// Neither the standard library of the target nor its source is installed.
    NoStandardLibrary,
    /// A file or folder could not be read.
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file could not be written.
    Write {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A core module is not a guest of this contract.
    #[cfg(feature = "encode")]
    Encode {
        /// The core module.
        path: PathBuf,
        /// The cause.
        source: anyhow::Error,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVariable { name } => {
                write!(f, "{name} is not set; cargo sets it for build scripts")
            }
            Self::NoWorkspace { from } => write!(f, "no Cargo.lock in {} or above", from.display()),
            Self::Start { command, .. } => write!(f, "cannot start `{command}`"),
            Self::Failed { command, stderr } => {
                write!(f, "`{command}` failed\n{}", stderr.trim_end())
            }
            Self::NoStandardLibrary => f.write_str(
                "the wasm32-unknown-unknown standard library is missing: run `cargo xtask setup`",
            ),
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::Write { path, .. } => write!(f, "cannot write {}", path.display()),
            #[cfg(feature = "encode")]
            Self::Encode { path, .. } => write!(f, "{} cannot become a component", path.display()),
        }
    }
}

impl error::Error for BuildError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Start { source, .. } | Self::Read { source, .. } | Self::Write { source, .. } => {
                Some(source)
            }
            #[cfg(feature = "encode")]
            Self::Encode { source, .. } => Some(source.as_ref()),
            Self::NoVariable { .. }
            | Self::NoWorkspace { .. }
            | Self::Failed { .. }
            | Self::NoStandardLibrary => None,
        }
    }
}

impl BuildError {
    /// Returns the error and its causes, one on each line.
    pub fn report(&self) -> String {
        let mut text = self.to_string();
        let mut cause = error::Error::source(self);
        while let Some(error) = cause {
            text.push_str("\n  because: ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
