//! Runs a command of the project in a process group that cannot inspect this process.
//!
//! A command with an empty environment can still read that of its parent, in `/proc/PID/environ`. So on Linux this
//! process becomes *not dumpable* before a command starts, and a command of root loses the capabilities that override
//! this. From then on no unprivileged process can attach a debugger to this one, the files of its folder in `/proc`
//! belong to root, and it leaves no core dump.
//!
//! The command still has the rights of the user. It can read files and other processes of the user, which is why it
//! needs the user's permission.

use std::io;
use std::process::{Child, ChildStdin, Command, ExitStatus};

/// A running command. Killing it also kills its children.
pub(super) struct ConfinedCommand {
    child: Child,
}

impl ConfinedCommand {
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        system::deny_inspection()?;
        system::start_process_group(&mut command);
        // A thread drops its own capabilities only, and its children inherit the rest. So this needs another thread.
        let starter = std::thread::Builder::new().spawn(move || {
            system::drop_inspection_capabilities();
            command.spawn()
        })?;
        let started = starter.join();
        let child = started.unwrap_or_else(|_| {
            Err(io::Error::other(
                "the thread that starts the command panicked",
            ))
        })?;
        Ok(Self { child })
    }

    /// Returns its standard input, once.
    pub(super) const fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Returns its exit status, if it has ended.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills it with all its children, except those that left the process group.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        // Before the wait: until then no other group can have this number.
        system::kill_process_group_of(&self.child);
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, kill_process_group};

    pub(super) fn start_process_group(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn kill_process_group_of(child: &Child) {
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            // The group does not exist if the command has just ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn deny_inspection() -> io::Result<()> {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
    }

    /// With any of these capabilities, root can read the environment of any process; with the last two since Linux 6.
    #[cfg(target_os = "linux")]
    pub(super) fn drop_inspection_capabilities() {
        use caps::{CapSet, Capability};
        for capability in [
            Capability::CAP_SYS_PTRACE,
            Capability::CAP_PERFMON,
            Capability::CAP_SYS_ADMIN,
        ] {
            // This fails if the process does not have the capability.
            let _ = caps::drop(None, CapSet::Bounding, capability);
        }
    }

    /// On other systems a process cannot read the environment of another in this way, or nothing can prevent it.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
    pub(super) const fn deny_inspection() -> io::Result<()> {
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) const fn drop_inspection_capabilities() {}
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::process::{Child, Command};

    pub(super) const fn start_process_group(_: &mut Command) {}

    pub(super) const fn kill_process_group_of(_: &Child) {}

    #[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
    pub(super) const fn deny_inspection() -> io::Result<()> {
        Ok(())
    }

    pub(super) const fn drop_inspection_capabilities() {}
}
