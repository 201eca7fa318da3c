//! Runs other programs, and finds the folders of the workspace.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use synix_guest_build::BuildError;
use synix_guest_build::toolchain::Toolchain;

/// The error message of a task.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self(error.report())
    }
}

/// Prints progress.
pub(crate) fn say(text: &str) {
    println!("  {text}");
}

/// Returns the folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// Returns whether a program can be started and succeeds.
pub(crate) fn works(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let command = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Returns a command that runs cargo as the user would.
///
/// Without the variables that the outer cargo sets for this program, because they would make build scripts run again.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(Toolchain::from_environment().cargo);
    #[expect(
        clippy::disallowed_methods,
        reason = "this program must remove the variables of cargo"
    )]
    let variables = std::env::vars_os();
    for (name, _) in variables {
        let shown = name.to_string_lossy();
        if shown.starts_with("CARGO_PKG_") || shown.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command that prints its own output.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure(format!("`{}` ended with {status}", shown(command)))),
        Err(error) => Err(Failure(format!(
            "cannot start `{}`: {error}",
            shown(command)
        ))),
    }
}

/// Runs a command and returns its standard output.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            Err(Failure(format!(
                "`{}` ended with {}\n{}",
                shown(command),
                output.status,
                words.trim_end()
            )))
        }
        Err(error) => Err(Failure(format!(
            "cannot start `{}`: {error}",
            shown(command)
        ))),
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
