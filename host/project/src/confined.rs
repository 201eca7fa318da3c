//! A command of the project: a process group of its own, which cannot look into this process.
//!
//! A command whose environment was cleared can still read that of its parent, as `/proc/PID/environ` does. So on Linux
//! this process is made *not dumpable* before a command starts, and a command of root gives up the powers that pass over
//! that. From then on nobody without privileges can attach a debugger to this process, the files of its
//! folder in `/proc` belong to root, and it leaves no core dump.
//!
//! The command has the rights of the user all the same. What it reads elsewhere, such as files or other processes of the
//! user, is not kept from it: that is what a yes is for.

use std::io;
use std::process::{Child, ChildStdin, Command, ExitStatus};

/// A command that runs. Its children end with it where it is ended.
pub(super) struct Confined {
    child: Child,
}

impl Confined {
    /// Starts a command.
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        system::close_to_others()?;
        system::own_group(&mut command);
        // A thread of its own, because the power to trace is given up by a thread and handed on to what it starts.
        let starter = std::thread::Builder::new().spawn(move || {
            system::give_up_tracing();
            command.spawn()
        })?;
        let started = starter.join();
        let child = started.unwrap_or_else(|_| Err(io::Error::other("the thread ended")))?;
        Ok(Self { child })
    }

    /// Returns the way to its input, once.
    pub(super) const fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Returns how it ended, if it has.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Ends it with everything that it started, unless that left the group.
    pub(super) fn end(&mut self) -> io::Result<()> {
        // Before it is waited for: the number of the group is nobody else's as long as it is not.
        system::end_group(&self.child);
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

    pub(super) fn own_group(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn end_group(child: &Child) {
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            // It has none where it has just ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn close_to_others() -> io::Result<()> {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
    }

    /// Each of these powers of root opens the environment of any process: the last two since Linux 6.
    #[cfg(target_os = "linux")]
    pub(super) fn give_up_tracing() {
        use caps::{CapSet, Capability};
        for power in [
            Capability::CAP_SYS_PTRACE,
            Capability::CAP_PERFMON,
            Capability::CAP_SYS_ADMIN,
        ] {
            // Fails where there is nothing to give up.
            let _ = caps::drop(None, CapSet::Bounding, power);
        }
    }

    /// Elsewhere a process cannot read the environment of another in such a way, or cannot be kept from it.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
    pub(super) const fn close_to_others() -> io::Result<()> {
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) const fn give_up_tracing() {}
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::process::{Child, Command};

    pub(super) const fn own_group(_: &mut Command) {}

    pub(super) const fn end_group(_: &Child) {}

    #[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
    pub(super) const fn close_to_others() -> io::Result<()> {
        Ok(())
    }

    pub(super) const fn give_up_tracing() {}
}
