//! The compiler process: reads its limits and a component, and writes machine code or an error message.

use std::ffi::OsString;
use std::io::{Read, Write};

use super::super::complexity::COMPONENT_BYTES;
use super::super::engine::{self, MemoryAllocation};
use super::CompileLimits;

/// The first byte of a reply that contains machine code.
pub(super) const COMPILED: u8 = b'C';
/// The first byte of a reply that contains an error message about the component.
pub(super) const REFUSED: u8 = b'R';

/// Why the compiler process cannot serve its caller.
#[derive(Debug, thiserror::Error)]
pub enum CompilerServeError {
    /// A sandbox of this version did not write the arguments.
    #[error("only synix itself runs this command, which compiles one component from its input")]
    Arguments,
    /// The system does not accept the limits.
    #[error("cannot set the limits of this process")]
    Limits(#[source] std::io::Error),
    /// The component cannot be read, or the reply cannot be written.
    #[error("cannot communicate with the process that started the compiler")]
    Pipe(#[from] std::io::Error),
    /// The engine cannot be created.
    #[error("cannot set up the compiler: {0}")]
    Setup(String),
}

/// Returns the arguments that [`serve`] understands.
pub(super) fn arguments(memory_allocation: MemoryAllocation, limits: CompileLimits) -> [String; 3] {
    [
        memory_allocation.as_str().to_owned(),
        limits.memory.to_string(),
        limits.cpu_seconds.to_string(),
    ]
}

/// Compiles the component in `input` and writes the result to `output`, for a [`super::Compiler::Child`].
///
/// Sets permanent limits for this process, so the program must do nothing else. `args` are the arguments that the
/// sandbox added to those of the program.
pub fn serve(
    args: impl IntoIterator<Item = OsString>,
    input: impl Read,
    mut output: impl Write,
) -> Result<(), CompilerServeError> {
    let (memory_allocation, limits) = parse(args).ok_or(CompilerServeError::Arguments)?;
    apply_limits(limits).map_err(CompilerServeError::Limits)?;
    let mut component = Vec::new();
    // The parent process has checked the size.
    let most = COMPONENT_BYTES as u64;
    input.take(most).read_to_end(&mut component)?;
    let engine = engine::for_compiling(memory_allocation)
        .map_err(|error| CompilerServeError::Setup(format!("{error:#}")))?;
    match engine.precompile_component(&component) {
        Ok(code) => {
            output.write_all(&[COMPILED])?;
            output.write_all(&code)?;
        }
        Err(error) => {
            output.write_all(&[REFUSED])?;
            output.write_all(format!("{error:#}").as_bytes())?;
        }
    }
    Ok(output.flush()?)
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Option<(MemoryAllocation, CompileLimits)> {
    let args: Option<Vec<String>> = args.into_iter().map(|arg| arg.into_string().ok()).collect();
    match args?.as_slice() {
        [memory_allocation, memory, cpu_seconds] => Some((
            MemoryAllocation::parse(memory_allocation)?,
            CompileLimits {
                memory: memory.parse().ok()?,
                cpu_seconds: cpu_seconds.parse().ok()?,
            },
        )),
        _ => None,
    }
}

#[cfg(unix)]
fn apply_limits(limits: CompileLimits) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // Nobody reads the result if the parent process has ended.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;

    let at_most = |resource, wanted: u64, grace: u64| {
        let hard = getrlimit(resource).maximum;
        let within = |limit: u64| hard.map_or(limit, |hard| limit.min(hard));
        let apply_limits = Rlimit {
            current: Some(within(wanted)),
            maximum: Some(within(wanted.saturating_add(grace))),
        };
        setrlimit(resource, apply_limits)
    };
    #[cfg(target_os = "linux")]
    at_most(Resource::As, limits.memory, 0)?;
    #[cfg(not(target_os = "linux"))]
    let _ = limits.memory;
    // The first signal identifies the limit. The second one, at the hard limit, cannot be caught.
    at_most(Resource::Cpu, limits.cpu_seconds, 5)?;
    at_most(Resource::Core, 0, 0)?;
    Ok(())
}

/// On other systems only the timeout of the parent process applies.
#[cfg(not(unix))]
fn apply_limits(_: CompileLimits) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_process_with_unknown_arguments_compiles_nothing() {
        for args in [&[][..], &["pool"], &["pool", "1", "x"], &["heap", "1", "1"]] {
            let args = args.iter().map(OsString::from);
            let served = serve(args, &b"\0asm"[..], Vec::new());
            assert!(
                matches!(served, Err(CompilerServeError::Arguments)),
                "{served:?}"
            );
        }
    }

    #[test]
    fn the_arguments_of_a_sandbox_are_parsed() {
        let limits = CompileLimits::of(1 << 20);
        for memory_allocation in [MemoryAllocation::Pool, MemoryAllocation::OnDemand] {
            let args = arguments(memory_allocation, limits).map(OsString::from);
            assert_eq!(parse(args), Some((memory_allocation, limits)));
        }
    }
}
