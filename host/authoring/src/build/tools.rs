//! The programs that compile plugins: where they stand, and what they say.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::BuildError;

/// How much of a failed tool's output an error shows: its end, where compilers say what is wrong.
const SHOWN_BYTES: usize = 8 << 10;

/// Where npm and Python's venv put programs, in the folder of who asks for them.
const OWN: [&str; 3] = ["node_modules/.bin", ".venv/bin", ".venv/Scripts"];

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

    /// Looks first where package managers put what a plugin's own folder asks for.
    pub(super) fn with_those_of(&self, plugin: &Path) -> Self {
        let mut folders = OWN.map(|own| plugin.join(own)).to_vec();
        folders.extend_from_slice(&self.folders);
        Self { folders }
    }

    /// Fails with all of these tools that are missing, so that they are got in one go.
    pub(super) fn need(&self, tools: &[Tool]) -> Result<(), BuildError> {
        let missing: Vec<Tool> = tools
            .iter()
            .copied()
            .filter(|tool| self.find(*tool).is_err())
            .collect();
        match missing[..] {
            [] => Ok(()),
            [first, ..] => Err(BuildError::NoTool {
                names: missing.iter().map(|tool| tool.name).collect(),
                get: first.get,
            }),
        }
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
            names: vec![tool.name],
            get: tool.get,
        })
    }

    /// Finds an executable and returns a command that runs it in `folder`, without input.
    pub fn command(&self, tool: Tool, folder: &Path) -> Result<Command, BuildError> {
        let mut command = Command::new(self.find(tool)?);
        command.current_dir(folder).stdin(Stdio::null());
        // Their own stack would bury what they say of the plugin.
        command.env("RUST_BACKTRACE", "0");
        Ok(command)
    }

    /// Runs a command to its end and returns what it wrote to its standard output.
    pub fn run(&self, command: &mut Command) -> Result<Vec<u8>, BuildError> {
        let output = command.output().map_err(|source| BuildError::Start {
            program: shown(command),
            source,
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let mut said = output.stdout;
        said.extend_from_slice(&output.stderr);
        Err(BuildError::Failed {
            program: shown(command),
            status: output.status.to_string(),
            output: end_of(&said),
        })
    }
}

/// Without the arguments: what they name is gone when the message is read.
fn shown(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
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

    #[test]
    fn tools_that_are_missing_together_are_named_together() {
        let other = Tool { name: "ksh", ..SH };
        let error = Tools::default().need(&[SH, other]).unwrap_err().to_string();
        assert!(error.starts_with("sh and ksh are missing"), "{error}");
        assert!(Tools::default().need(&[]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_tool_of_the_plugins_own_folder_is_taken_before_others() {
        use std::os::unix::fs::PermissionsExt as _;
        for own in &OWN[..2] {
            let plugin = tempfile::tempdir().unwrap();
            let program = plugin.path().join(own).join("sh");
            synix_disk::create_folder(program.parent().unwrap()).unwrap();
            synix_disk::replace(&program, b"").unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            let tools = Tools::new(vec!["/bin".into()]).with_those_of(plugin.path());
            assert_eq!(tools.find(SH).unwrap(), program);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_run_is_no_tool() {
        let folder = tempfile::tempdir().unwrap();
        synix_disk::replace(&folder.path().join("sh"), b"").unwrap();
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
