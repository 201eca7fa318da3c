//! The programs that compile plugins: where they stand, and what they say.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::BuildError;

/// How much of a failed tool's output an error shows: its end, where compilers say what is wrong.
const SHOWN_BYTES: usize = 8 << 10;

/// A program that some language's build needs.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// The name of its executable.
    pub name: &'static str,
    /// How to get it: a command, or a place.
    pub get: &'static str,
}

/// The folders in which programs are looked for.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    folders: Vec<PathBuf>,
}

impl Tools {
    /// Looks in `folders`, in their order.
    pub const fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// Finds an executable, or says how to get it.
    pub fn find(&self, tool: Tool) -> Result<PathBuf, BuildError> {
        let candidates = self.folders.iter().flat_map(|folder| {
            let plain = folder.join(tool.name);
            // Windows keeps scripts beside programs.
            let ended = ["exe", "cmd"].map(|end| plain.with_extension(end));
            std::iter::once(plain).chain(cfg!(windows).then_some(ended).into_iter().flatten())
        });
        let mut found = candidates.filter(|path| is_executable(path));
        found.next().ok_or(BuildError::NoTool {
            name: tool.name,
            get: tool.get,
        })
    }

    /// Finds an executable and returns a command that runs it in `folder`, without input.
    pub fn command(&self, tool: Tool, folder: &Path) -> Result<Command, BuildError> {
        let mut command = Command::new(self.find(tool)?);
        command.current_dir(folder).stdin(Stdio::null());
        Ok(command)
    }

    /// Runs a command to its end and returns what it wrote to its standard output.
    pub fn run(&self, command: &mut Command) -> Result<Vec<u8>, BuildError> {
        let output = command.output().map_err(|source| BuildError::Start {
            command: shown(command),
            source,
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let mut said = output.stdout;
        said.extend_from_slice(&output.stderr);
        Err(BuildError::Failed {
            command: shown(command),
            status: output.status.to_string(),
            output: end_of(&said),
        })
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn end_of(said: &[u8]) -> String {
    let from = said.len().saturating_sub(SHOWN_BYTES);
    let text = String::from_utf8_lossy(&said[from..]).trim().to_owned();
    if from > 0 {
        format!("… {text}")
    } else {
        text
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = path.metadata();
    metadata.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SH: Tool = Tool {
        name: "sh",
        get: "apt install dash",
    };

    #[test]
    fn a_missing_tool_is_named_with_the_way_to_get_it() {
        let error = Tools::default().find(SH).unwrap_err().to_string();
        assert!(
            error.starts_with("sh is missing") && error.ends_with("apt install dash"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_run_is_no_tool() {
        let folder = tempfile::tempdir().unwrap();
        crate::disk::replace(&folder.path().join("sh"), b"").unwrap();
        let tools = Tools::new(vec![folder.path().to_owned(), "/bin".into()]);
        assert_eq!(tools.find(SH).unwrap(), Path::new("/bin/sh"));
    }

    #[cfg(unix)]
    #[test]
    fn a_failed_tool_is_quoted_from_its_end_and_no_further_back_than_the_limit() {
        let tools = Tools::new(vec!["/bin".into()]);
        let mut command = tools.command(SH, Path::new("/")).unwrap();
        command.args(["-c", "printf '%20000d' 0; echo the reason >&2; exit 7"]);
        let error = tools.run(&mut command).unwrap_err().to_string();
        assert!(
            error.ends_with("the reason") && error.contains("7"),
            "{error}"
        );
        assert!(error.len() < SHOWN_BYTES + 200, "{}", error.len());
    }
}
