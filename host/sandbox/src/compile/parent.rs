//! Starts a compiler process, sends it a component and interprets how it ended.

use std::ffi::OsString;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::super::engine::MemoryAllocation;
use super::super::fault::Fault;
use super::child::{self, COMPILED, REFUSED};
use super::{CompileFailure, CompileLimits};
use synix_core::printable;

/// The longest wait for a compiler, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(600);
/// The maximum number of the compiler's threads; each needs memory of its own.
const THREADS: usize = 4;
/// The maximum size of machine code.
const MAX_CODE_BYTES: u64 = 1 << 30;
/// How much of the end of stderr is kept.
const STDERR_BYTES: usize = 4 << 10;

/// Compiles a component in a process of its own and returns the machine code.
pub(super) fn compile(
    program: &Path,
    args: &[OsString],
    memory_allocation: MemoryAllocation,
    component: &[u8],
) -> Result<Vec<u8>, Fault> {
    let limits = CompileLimits::of(component.len());
    let mut child = start(program, args, memory_allocation, limits).map_err(|source| {
        Fault::NotCompiled(CompileFailure::InstantiationError {
            program: program.to_owned(),
            source,
        })
    })?;
    let end = run_child(&mut child, component, TIMEOUT);
    interpret(end, limits)
}

fn start(
    program: &Path,
    args: &[OsString],
    memory_allocation: MemoryAllocation,
    limits: CompileLimits,
) -> std::io::Result<Child> {
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS));
    let mut command = Command::new(program);
    command
        .args(args)
        .args(child::arguments(memory_allocation, limits))
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

/// How a compiler process ended.
#[derive(Debug)]
enum ChildEnd {
    /// It exited, or a signal killed it.
    Exited {
        status: ExitStatus,
        output: Vec<u8>,
        stderr: String,
    },
    /// It was killed after this time.
    Stopped(Duration),
    /// Its status cannot be read.
    Lost(std::io::Error),
}

/// Sends the component and reads the reply; kills the process when its time is over.
fn run_child(child: &mut Child, component: &[u8], timeout: Duration) -> ChildEnd {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                // If the process has ended already, its status shows why.
                let _ = stdin.write_all(component);
            }
        });
        let stderr = scope.spawn(move || stderr.map(read_tail).unwrap_or_default());
        let (done, output) = mpsc::channel();
        scope.spawn(move || {
            let mut bytes = Vec::new();
            if let Some(stdout) = stdout {
                let _ = stdout.take(MAX_CODE_BYTES).read_to_end(&mut bytes);
            }
            // Nobody receives after the timeout.
            let _ = done.send(bytes);
        });
        let output = output.recv_timeout(timeout);
        if output.is_err() {
            kill(child);
        }
        let status = child.wait();
        let stderr = stderr.join().unwrap_or_default();
        match (output, status) {
            (_, Err(error)) => ChildEnd::Lost(error),
            (Err(_), Ok(_)) => ChildEnd::Stopped(timeout),
            (Ok(output), Ok(status)) => ChildEnd::Exited {
                status,
                output,
                stderr,
            },
        }
    })
}

fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        // It may have ended in the meantime.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    let _ = child.kill();
}

/// Returns the end of what a process writes.
fn read_tail(mut from: impl Read) -> String {
    let (mut tail, mut chunk) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        tail.extend_from_slice(&chunk[..read]);
        let surplus = tail.len().saturating_sub(STDERR_BYTES);
        tail.drain(..surplus);
    }
    String::from_utf8_lossy(&tail).trim().to_owned()
}

/// Returns the machine code, or why there is none.
fn interpret(end: ChildEnd, limits: CompileLimits) -> Result<Vec<u8>, Fault> {
    let failure = match end {
        ChildEnd::Exited {
            status,
            mut output,
            stderr,
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
                detail: "it wrote no result".to_owned(),
            },
            (false, _) => exit_failure(status, &stderr, limits),
        },
        ChildEnd::Stopped(after) => CompileFailure::TimedOut { after },
        ChildEnd::Lost(error) => CompileFailure::Failed {
            detail: error.to_string(),
        },
    };
    Err(Fault::NotCompiled(failure))
}

/// The messages by which an allocator or the system reports that there is no memory.
const OUT_OF_MEMORY_TEXTS: [&str; 4] = [
    "memory allocation of",
    "Cannot allocate memory",
    "os error 12",
    // There is no memory for the stack of another thread.
    "os error 11",
];

fn exit_failure(status: ExitStatus, stderr: &str, limits: CompileLimits) -> CompileFailure {
    if OUT_OF_MEMORY_TEXTS.iter().any(|text| stderr.contains(text)) {
        return CompileFailure::OutOfMemory {
            limit: limits.memory,
        };
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        if signal == rustix::process::Signal::XCPU.as_raw() {
            return CompileFailure::OutOfTime {
                limit: Duration::from_secs(limits.cpu_seconds),
            };
        }
        if stderr.is_empty() {
            return CompileFailure::Killed { signal };
        }
    }
    let printable = printable::escape_lines(stderr);
    CompileFailure::Failed {
        detail: if printable.is_empty() {
            status.to_string()
        } else {
            format!("{status}: {printable}")
        },
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// Runs a shell script instead of the compiler.
    fn failure(script: &str) -> CompileFailure {
        let mut child = Command::new("/bin/sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let end = run_child(&mut child, b"component", TIMEOUT);
        match interpret(end, CompileLimits::of(0)) {
            Err(Fault::NotCompiled(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_end_of_a_compiler_is_a_failure_of_its_own() {
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
            CompileFailure::Failed { detail } if detail.ends_with(": a panic")
        ));
        assert!(matches!(failure("exit 0"), CompileFailure::Failed { .. }));
        // Incomplete machine code is not used.
        assert!(matches!(
            failure("printf Cabc; exit 1"),
            CompileFailure::Failed { .. }
        ));
    }

    #[test]
    fn a_missing_compiler_is_named() {
        let program = Path::new("/nonexistent/compiler");
        let fault = compile(program, &[], MemoryAllocation::Pool, b"").unwrap_err();
        assert!(matches!(
            fault,
            Fault::NotCompiled(CompileFailure::InstantiationError { program: named, .. }) if named == program
        ));
    }

    /// Its child processes are killed, too, or its pipes would stay open.
    #[test]
    fn a_compiler_that_does_not_end_is_killed_with_its_child_processes() {
        let args = ["-c".into(), "sleep 1000 & sleep 1000".into()];
        let limits = CompileLimits::of(0);
        let mut child = start(Path::new("/bin/sh"), &args, MemoryAllocation::Pool, limits).unwrap();
        let end = run_child(&mut child, b"", Duration::ZERO);
        assert!(matches!(end, ChildEnd::Stopped(_)), "{end:?}");
    }

    #[test]
    fn a_long_stderr_is_truncated() {
        let stderr = read_tail(&[b'x'; 100_000][..]);
        assert_eq!(stderr.len(), STDERR_BYTES);
    }
}
