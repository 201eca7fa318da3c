//! Finds and runs the programs that compile plugins.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::BuildError;

/// The most bytes of a failed tool's output in an error. Compilers report the cause at the end.
const MAX_SHOWN_BYTES: usize = 8 << 10;

/// Where npm and Python's venv install programs, in the folder of the plugin.
const LOCAL_FOLDERS: [&str; 3] = ["node_modules/.bin", ".venv/bin", ".venv/Scripts"];

/// A program that the build of a language needs.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// The name of its executable.
    pub name: &'static str,
    /// How to install it: a command, or a URL.
    pub get: &'static str,
}

/// The folders to search for programs.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    folders: Vec<PathBuf>,
}

impl Tools {
    /// Searches `folders` in this order.
    pub const fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// Searches the folders of package managers in the plugin's folder first.
    pub(super) fn with_local_tools(&self, plugin: &Path) -> Self {
        let mut folders = LOCAL_FOLDERS.map(|own| plugin.join(own)).to_vec();
        folders.extend_from_slice(&self.folders);
        Self { folders }
    }

    /// Fails with all tools that are missing, so that the user can install them at once.
    pub(super) fn require(&self, tools: &[Tool]) -> Result<(), BuildError> {
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

    /// Finds an executable. The error says how to install it.
    pub fn find(&self, tool: Tool) -> Result<PathBuf, BuildError> {
        let candidates = self.folders.iter().flat_map(|folder| {
            let plain = folder.join(tool.name);
            // On Windows, a tool may be a program or a script.
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
        // A backtrace of the tool would hide its message about the plugin.
        command.env("RUST_BACKTRACE", "0");
        Ok(command)
    }

    /// Runs a command and returns its standard output.
    pub fn run(&self, command: &mut Command) -> Result<Vec<u8>, BuildError> {
        let output = command.output().map_err(|source| BuildError::Start {
            program: shown(command),
            source,
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let mut all = output.stdout;
        all.extend_from_slice(&output.stderr);
        Err(BuildError::Failed {
            program: shown(command),
            status: output.status.to_string(),
            output: shown_end(&all),
        })
    }
}

/// Returns the program without its arguments: they name files that are deleted by then.
fn shown(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn shown_end(output: &[u8]) -> String {
    let from = output.len().saturating_sub(MAX_SHOWN_BYTES);
    let text = String::from_utf8_lossy(&output[from..]).trim().to_owned();
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
    fn the_error_of_a_missing_tool_says_how_to_install_it() {
        let error = Tools::default().find(SH).unwrap_err().to_string();
        assert!(
            error.starts_with("sh is missing") && error.ends_with("apt install dash"),
            "{error}"
        );
    }

    #[test]
    fn all_missing_tools_are_named_together() {
        let other = Tool { name: "ksh", ..SH };
        let error = Tools::default()
            .require(&[SH, other])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("sh and ksh are missing"), "{error}");
        assert!(Tools::default().require(&[]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_tool_in_the_plugins_folder_takes_precedence() {
        use std::os::unix::fs::PermissionsExt as _;
        for own in &LOCAL_FOLDERS[..2] {
            let plugin = tempfile::tempdir().unwrap();
            let program = plugin.path().join(own).join("sh");
            synix_disk::create_folder(program.parent().unwrap()).unwrap();
            synix_disk::replace(&program, b"").unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            let tools = Tools::new(vec!["/bin".into()]).with_local_tools(plugin.path());
            assert_eq!(tools.find(SH).unwrap(), program);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_not_executable_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        synix_disk::replace(&folder.path().join("sh"), b"").unwrap();
        let tools = Tools::new(vec![folder.path().to_owned(), "/bin".into()]);
        assert_eq!(tools.find(SH).unwrap(), Path::new("/bin/sh"));
    }

    #[cfg(unix)]
    #[test]
    fn the_error_of_a_failed_tool_has_the_end_of_its_output() {
        let tools = Tools::new(vec!["/bin".into()]);
        let mut command = tools.command(SH, Path::new("/")).unwrap();
        command.args(["-c", "printf '%20000d' 0; echo the reason >&2; exit 7"]);
        let error = tools.run(&mut command).unwrap_err().to_string();
        assert!(
            error.ends_with("the reason") && error.contains("7"),
            "{error}"
        );
        assert!(error.len() < MAX_SHOWN_BYTES + 200, "{}", error.len());
    }
}
