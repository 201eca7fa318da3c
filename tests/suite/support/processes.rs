//! Commands in their own processes: signals, outputs, and limits of the kernel.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};

use synix_scripted_provider::Script;

#[cfg(target_os = "linux")]
use crate::support::invocation::Invocation;
use crate::support::invocation::Run;
use crate::support::test_project::TestProject;

/// Sends a signal to a command and returns its exit code and stderr.
pub(crate) fn signal_and_wait(child: Child, name: &str) -> (i32, String) {
    send_signal(&child, name);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap_or(-1), stderr)
}

pub(crate) fn send_signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(sent.success());
}

/// Reads the stderr of a command until a line contains a text, and returns what it read.
#[track_caller]
pub(crate) fn read_until(child: &mut Child, text: &str) -> String {
    let stderr = child.stderr.as_mut().expect("a pipe");
    // A larger buffer would take what the caller reads later.
    let mut reader = BufReader::with_capacity(1, stderr);
    let mut read = String::new();
    loop {
        let start = read.len();
        let length = reader.read_line(&mut read).expect("lines of text");
        assert!(length > 0, "the command ended without {text:?}: {read}");
        if read[start..].contains(text) {
            return read;
        }
    }
}

/// Interrupts a command, has the replies sent that the script holds once the command waits for them, and returns the
/// exit code and stderr.
pub(crate) fn interrupt_before_replies(
    project: &TestProject,
    mut child: Child,
    signal: &str,
) -> (i32, String) {
    send_signal(&child, signal);
    let before = read_until(&mut child, "waiting for the answers");
    project.script(Script::new());
    let run = wait_for_output(child);
    (run.code, before + &run.stderr)
}

pub(crate) fn is_running(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

pub(crate) fn wait_for_output(child: Child) -> Run {
    Run::of_output(child.wait_with_output().unwrap())
}

/// The address space of a command and its child processes in KiB.
#[cfg(target_os = "linux")]
const ADDRESS_SPACE: u64 = 2_000_000;

/// The processor time of each process. The kernel counts it, so a busy machine does not change the result.
#[cfg(target_os = "linux")]
const SECONDS: u32 = 60;

/// The command under limits of address space and processor time. A command that spins ends by a signal.
#[cfg(target_os = "linux")]
pub(crate) fn with_kernel_limits(command: &Invocation) -> Command {
    with_address_space(command, ADDRESS_SPACE)
}

/// The command under the same limit of time, and this one of address space in KiB.
#[cfg(target_os = "linux")]
pub(crate) fn with_address_space(command: &Invocation, address_space: u64) -> Command {
    let command = command.process();
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(format!(
            "ulimit -v {address_space}; ulimit -t {SECONDS}; exec \"$0\" \"$@\""
        ))
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}
