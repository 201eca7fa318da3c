//! Starts a compiler's process, hands it a component, and says how it ended.

use std::ffi::OsString;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::super::engine::Memories;
use super::super::error::Fault;
use super::child::{self, COMPILED, REFUSED};
use super::{Budget, CompileFailure};
use synix_core::printable;

/// How long anybody waits, however many processes share this machine.
const WALL: Duration = Duration::from_secs(600);
/// Threads of the compiler; each has memory of its own.
const THREADS: usize = 4;
/// The most machine code that is taken.
const CODE_BYTES: u64 = 1 << 30;
/// What is kept of the compiler's words.
const WORDS_BYTES: usize = 4 << 10;

/// Returns the machine code of a component.
pub(super) fn compile(
    program: &Path,
    args: &[OsString],
    memories: Memories,
    component: &[u8],
) -> Result<Vec<u8>, Fault> {
    let budget = Budget::of(component.len());
    let mut child = start(program, args, memories, budget).map_err(|source| {
        Fault::NotCompiled(CompileFailure::NotStarted {
            program: program.to_owned(),
            source,
        })
    })?;
    let ended = converse(&mut child, component, WALL);
    answer(ended, budget)
}

fn start(
    program: &Path,
    args: &[OsString],
    memories: Memories,
    budget: Budget,
) -> std::io::Result<Child> {
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS));
    let mut command = Command::new(program);
    command
        .args(args)
        .args(child::arguments(memories, budget))
        .env_clear()
        .env("RAYON_NUM_THREADS", threads.to_string())
        // Each further arena of the C library reserves address space.
        .env("MALLOC_ARENA_MAX", "2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// What was seen of a process that is over.
#[derive(Debug)]
enum Ended {
    /// It ended by itself.
    Exited {
        status: ExitStatus,
        output: Vec<u8>,
        words: String,
    },
    /// It was stopped after this time.
    Stopped(Duration),
    /// The system lost it.
    Lost(std::io::Error),
}

/// Hands over the component and takes the answer; stops the process when its time is over.
fn converse(child: &mut Child, component: &[u8], wall: Duration) -> Ended {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                // A process that ended early says so by its status.
                let _ = stdin.write_all(component);
            }
        });
        let words = scope.spawn(move || stderr.map(tail).unwrap_or_default());
        let (done, output) = mpsc::channel();
        scope.spawn(move || {
            let mut bytes = Vec::new();
            if let Some(stdout) = stdout {
                let _ = stdout.take(CODE_BYTES).read_to_end(&mut bytes);
            }
            // Nobody listens once the time is over.
            let _ = done.send(bytes);
        });
        let output = output.recv_timeout(wall);
        if output.is_err() {
            stop(child);
        }
        let status = child.wait();
        let words = words.join().unwrap_or_default();
        match (output, status) {
            (_, Err(error)) => Ended::Lost(error),
            (Err(_), Ok(_)) => Ended::Stopped(wall),
            (Ok(output), Ok(status)) => Ended::Exited {
                status,
                output,
                words,
            },
        }
    })
}

fn stop(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        // It may have ended at this very moment.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    let _ = child.kill();
}

/// Returns the end of what a process says.
fn tail(mut from: impl Read) -> String {
    let (mut kept, mut chunk) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        kept.extend_from_slice(&chunk[..read]);
        let surplus = kept.len().saturating_sub(WORDS_BYTES);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// Says what came of it.
fn answer(ended: Ended, budget: Budget) -> Result<Vec<u8>, Fault> {
    let failure = match ended {
        Ended::Exited {
            status,
            mut output,
            words,
        } => match (status.success(), output.first().copied()) {
            (true, Some(COMPILED)) => {
                output.remove(0);
                return Ok(output);
            }
            (true, Some(REFUSED)) => {
                let detail = String::from_utf8_lossy(&output[1..]);
                let detail = printable::escape_lines(&detail);
                return Err(Fault::Corrupt { detail });
            }
            (true, _) => CompileFailure::Failed {
                words: "it gave no answer".to_owned(),
            },
            (false, _) => died(status, &words, budget),
        },
        Ended::Stopped(after) => CompileFailure::Stalled { after },
        Ended::Lost(error) => CompileFailure::Failed {
            words: error.to_string(),
        },
    };
    Err(Fault::NotCompiled(failure))
}

/// Where an allocator or the system say that there is no memory, in the words of each.
const NO_MEMORY: [&str; 4] = [
    "memory allocation of",
    "Cannot allocate memory",
    "os error 12",
    // No room for the stack of another thread.
    "os error 11",
];

fn died(status: ExitStatus, words: &str, budget: Budget) -> CompileFailure {
    if NO_MEMORY.iter().any(|sign| words.contains(sign)) {
        return CompileFailure::OutOfMemory {
            limit: budget.memory,
        };
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        if signal == rustix::process::Signal::XCPU.as_raw() {
            return CompileFailure::OutOfTime {
                limit: Duration::from_secs(budget.cpu_seconds),
            };
        }
        if words.is_empty() {
            return CompileFailure::Killed { signal };
        }
    }
    let said = printable::escape_lines(words);
    CompileFailure::Failed {
        words: if said.is_empty() {
            status.to_string()
        } else {
            format!("{status}: {said}")
        },
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// Runs a shell in the compiler's place.
    fn failure(script: &str) -> CompileFailure {
        let mut child = Command::new("/bin/sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ended = converse(&mut child, b"component", WALL);
        match answer(ended, Budget::of(0)) {
            Err(Fault::NotCompiled(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_end_of_a_compiler_has_a_name() {
        assert!(matches!(
            failure("kill -XCPU $$"),
            CompileFailure::OutOfTime { .. }
        ));
        assert!(matches!(
            failure("echo memory allocation of 7 bytes failed >&2; kill -ABRT $$"),
            CompileFailure::OutOfMemory { .. }
        ));
        assert!(matches!(
            failure("kill -KILL $$"),
            CompileFailure::Killed { signal: 9 }
        ));
        assert!(matches!(
            failure("echo a panic >&2; exit 101"),
            CompileFailure::Failed { words } if words.ends_with(": a panic")
        ));
        assert!(matches!(failure("exit 0"), CompileFailure::Failed { .. }));
        // A part of the code is none.
        assert!(matches!(
            failure("printf Cabc; exit 1"),
            CompileFailure::Failed { .. }
        ));
    }

    #[test]
    fn a_compiler_that_is_not_there_is_named() {
        let program = Path::new("/nonexistent/compiler");
        let fault = compile(program, &[], Memories::Pool, b"").unwrap_err();
        assert!(matches!(
            fault,
            Fault::NotCompiled(CompileFailure::NotStarted { program: named, .. }) if named == program
        ));
    }

    /// What it has started goes as well, or its pipes would stay open.
    #[test]
    fn a_compiler_that_does_not_end_is_stopped_with_all_it_started() {
        let args = ["-c".into(), "sleep 1000 & sleep 1000".into()];
        let budget = Budget::of(0);
        let mut child = start(Path::new("/bin/sh"), &args, Memories::Pool, budget).unwrap();
        let ended = converse(&mut child, b"", Duration::ZERO);
        assert!(matches!(ended, Ended::Stopped(_)), "{ended:?}");
    }

    #[test]
    fn a_flood_of_words_is_cut() {
        let words = tail(&[b'x'; 100_000][..]);
        assert_eq!(words.len(), WORDS_BYTES);
    }
}
