//! The programs that a language needs: where they are, and what they say when they fail.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::BuildError;

/// The end of a failed program's words that an error shows.
const SAID_BYTES: usize = 16 << 10;

/// A program and how to get it.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name without folder.
    pub name: &'static str,
    /// How to get it, for people.
    pub remedy: &'static str,
}

/// The folders in which programs are looked for.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    folders: Vec<PathBuf>,
}

impl Tools {
    /// Looks in one folder first, then in those of a `PATH`.
    pub fn new(first: Option<PathBuf>, path: Option<&OsStr>) -> Self {
        let rest = path.into_iter().flat_map(std::env::split_paths);
        Self {
            folders: first.into_iter().chain(rest).collect(),
        }
    }

    /// Returns a command of a program.
    pub fn command(&self, tool: &Tool) -> Result<Command, BuildError> {
        let file = format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX);
        self.folders
            .iter()
            .map(|folder| folder.join(&file))
            .find(|path| path.is_file())
            .map(Command::new)
            .ok_or(BuildError::NoTool {
                name: tool.name,
                remedy: tool.remedy,
            })
    }

    /// Runs a command to its end.
    pub fn run(&self, command: &mut Command) -> Result<(), BuildError> {
        let output = command.stdin(Stdio::null()).output();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let shown = words
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        let output = output.map_err(|source| BuildError::Start {
            command: shown.clone(),
            source,
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        let from = said.len().saturating_sub(SAID_BYTES);
        Err(BuildError::Failed {
            command: shown,
            said: String::from_utf8_lossy(&said[from..]).trim().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: Tool = Tool {
        name: "no-such-program",
        remedy: "install it",
    };

    #[test]
    fn a_missing_tool_is_named_with_its_remedy() {
        let error = Tools::default().command(&NOWHERE).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`no-such-program` is not there; get it with: install it"
        );
    }
}
