//! Limits that the kernel puts on a command and on all that it starts.

use std::process::Command;

use crate::invocation::Invocation;

/// What a shell lets the command and all that it starts reserve, in KiB.
const ADDRESS_SPACE: u32 = 2_000_000;

/// How long each process may use the processor. The kernel counts it, so a machine that is busy changes nothing.
const SECONDS: u32 = 60;

/// The command under a limit of address space, and one of time on the processor: a command that spins ends by a signal.
pub(crate) fn limited(command: &Invocation) -> Command {
    let command = command.process();
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(format!(
            "ulimit -v {ADDRESS_SPACE}; ulimit -t {SECONDS}; exec \"$0\" \"$@\""
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
