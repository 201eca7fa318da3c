//! Runs a child process that another thread can stop.

use std::io;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// The child process that runs now. All clones refer to the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningCommand {
    state: Arc<Mutex<ProcessState>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ProcessState {
    #[default]
    Idle,
    /// A process that was not waited for yet, so no other process can have its number.
    Process(u32),
    Stopped,
}

impl RunningCommand {
    /// Terminates the running process and starts no further one. The process can still end in an orderly way.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(unix)]
        if let ProcessState::Process(id) = *state
            && let Some(id) = i32::try_from(id)
                .ok()
                .and_then(rustix::process::Pid::from_raw)
        {
            // This fails if the process has just ended.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        *state = ProcessState::Stopped;
    }

    /// Runs a command and returns its output; `None` if it was stopped.
    pub(crate) fn output(&self, command: &mut Command) -> io::Result<Option<Output>> {
        let Some(mut child) = self.start(command)? else {
            return Ok(None);
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr) = std::thread::scope(|scope| {
            let err = scope.spawn(|| read_all(err));
            (read_all(out), err.join().unwrap_or_else(|_| Ok(Vec::new())))
        });
        let is_stopped = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let is_stopped = *state == ProcessState::Stopped;
            if !is_stopped {
                *state = ProcessState::Idle;
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
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == ProcessState::Stopped {
            return Ok(None);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn()?;
        *state = ProcessState::Process(child.id());
        Ok(Some(child))
    }
}

fn read_all(pipe: Option<impl io::Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
