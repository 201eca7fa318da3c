//! A command in a process of its own that can be asked to end from another thread.

use std::io;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// The command that runs now. Clones know the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running {
    now: Arc<Mutex<Now>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Now {
    #[default]
    Nothing,
    /// A process that has not been waited for, so that its number is no other's.
    Process(u32),
    Stopped,
}

impl Running {
    /// Starts nothing from now on, and asks the command that runs to end: it has its own way to.
    pub(crate) fn stop(&self) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(unix)]
        if let Now::Process(id) = *now
            && let Some(id) = i32::try_from(id)
                .ok()
                .and_then(rustix::process::Pid::from_raw)
        {
            // It may have ended at this very moment.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        *now = Now::Stopped;
    }

    /// Runs a command to its end; `None`: somebody stopped it.
    pub(crate) fn output(&self, command: &mut Command) -> io::Result<Option<Output>> {
        let Some(mut child) = self.start(command)? else {
            return Ok(None);
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr) = std::thread::scope(|scope| {
            let err = scope.spawn(|| whole(err));
            (whole(out), err.join().unwrap_or_else(|_| Ok(Vec::new())))
        });
        let is_stopped = {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            let is_stopped = *now == Now::Stopped;
            if !is_stopped {
                *now = Now::Nothing;
            }
            is_stopped
        };
        let status = child.wait()?;
        Ok((!is_stopped).then_some(Output {
            status,
            stdout: stdout?,
            stderr: stderr?,
        }))
    }

    fn start(&self, command: &mut Command) -> io::Result<Option<Child>> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if *now == Now::Stopped {
            return Ok(None);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn()?;
        *now = Now::Process(child.id());
        Ok(Some(child))
    }
}

fn whole(pipe: Option<impl io::Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
