//! The compiler's own process: takes its limits, then a component, and gives machine code or words.

use std::ffi::OsString;
use std::io::{Read, Write};

use super::super::engine::{self, Memories};
use super::super::form::COMPONENT_BYTES;
use super::Budget;

/// First byte of an answer that is machine code.
pub(super) const COMPILED: u8 = b'C';
/// First byte of an answer that says what is wrong with the component.
pub(super) const REFUSED: u8 = b'R';

/// Why a compiler's process could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The arguments are not those of a sandbox of this version.
    #[error("this command is for synix itself: it compiles one component from its input")]
    Arguments,
    /// The limits cannot be set.
    #[error("cannot limit this process")]
    Limits(#[source] std::io::Error),
    /// The component did not arrive, or nobody takes the answer.
    #[error("cannot talk to the process that asked")]
    Pipe(#[from] std::io::Error),
    /// The engine does not start.
    #[error("cannot set up the compiler: {0}")]
    Setup(String),
}

/// Returns the arguments that [`serve`] understands.
pub(super) fn arguments(memories: Memories, budget: Budget) -> [String; 3] {
    [
        memories.word().to_owned(),
        budget.memory.to_string(),
        budget.cpu_seconds.to_string(),
    ]
}

/// Compiles the component that `input` holds and writes the result to `output`, for a [`super::Compiler::Child`].
///
/// Limits this process for good, so the program should do nothing else.
/// `args` are those that the sandbox added to the program's own.
pub fn serve(
    args: impl IntoIterator<Item = OsString>,
    input: impl Read,
    mut output: impl Write,
) -> Result<(), ServeError> {
    let (memories, budget) = parse(args).ok_or(ServeError::Arguments)?;
    limit(budget).map_err(ServeError::Limits)?;
    let mut component = Vec::new();
    // The one that asks has checked the size.
    let most = COMPONENT_BYTES as u64;
    input.take(most).read_to_end(&mut component)?;
    let engine =
        engine::for_compiling(memories).map_err(|error| ServeError::Setup(format!("{error:#}")))?;
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

fn parse(args: impl IntoIterator<Item = OsString>) -> Option<(Memories, Budget)> {
    let args: Option<Vec<String>> = args.into_iter().map(|arg| arg.into_string().ok()).collect();
    match args?.as_slice() {
        [memories, memory, cpu_seconds] => Some((
            Memories::parse(memories)?,
            Budget {
                memory: memory.parse().ok()?,
                cpu_seconds: cpu_seconds.parse().ok()?,
            },
        )),
        _ => None,
    }
}

#[cfg(unix)]
fn limit(budget: Budget) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // The compiler is of no use to anybody once the one that asked is gone.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;

    let at_most = |resource, wanted: u64, grace: u64| {
        let hard = getrlimit(resource).maximum;
        let within = |limit: u64| hard.map_or(limit, |hard| limit.min(hard));
        let limit = Rlimit {
            current: Some(within(wanted)),
            maximum: Some(within(wanted.saturating_add(grace))),
        };
        setrlimit(resource, limit)
    };
    #[cfg(target_os = "linux")]
    at_most(Resource::As, budget.memory, 0)?;
    #[cfg(not(target_os = "linux"))]
    let _ = budget.memory;
    // The first signal says why; the second cannot be missed.
    at_most(Resource::Cpu, budget.cpu_seconds, 5)?;
    at_most(Resource::Core, 0, 0)?;
    Ok(())
}

/// Elsewhere only the wall limit of the one that asks holds.
#[cfg(not(unix))]
fn limit(_: Budget) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_not_asked_by_a_sandbox_compiles_nothing() {
        for args in [&[][..], &["pool"], &["pool", "1", "x"], &["heap", "1", "1"]] {
            let args = args.iter().map(OsString::from);
            let served = serve(args, &b"\0asm"[..], Vec::new());
            assert!(matches!(served, Err(ServeError::Arguments)), "{served:?}");
        }
    }

    #[test]
    fn a_sandboxs_arguments_are_understood() {
        let budget = Budget::of(1 << 20);
        for memories in [Memories::Pool, Memories::OnDemand] {
            let args = arguments(memories, budget).map(OsString::from);
            assert_eq!(parse(args), Some((memories, budget)));
        }
    }
}
