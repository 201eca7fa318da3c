//! Kernel limits for a command and all of its child processes.

use std::process::Command;

use crate::invocation::Invocation;

/// The address space of a command and its child processes in KiB.
const ADDRESS_SPACE: u32 = 2_000_000;

/// The processor time of each process. The kernel counts it, so a busy machine does not change the result.
const SECONDS: u32 = 60;

/// The command under limits of address space and processor time. A command that spins ends by a signal.
pub(crate) fn with_kernel_limits(command: &Invocation) -> Command {
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
