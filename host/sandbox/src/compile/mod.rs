//! Compiles components, in this process or in another that may be stopped.
//!
//! A compiler is as large as a language and its cost follows from a stranger's
//! bytes. What the command loads is therefore compiled by a process of its own
//! with limits of memory and time; its death is an error like any other.
//! [`super::form`] has refused the worst before, with the same words everywhere.

mod child;
mod parent;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::Core;
use super::error::Fault;
use synix_native::NativeCode;

pub use child::{ServeError, serve};

/// Who compiles components. Whoever embeds synix chooses: by default nobody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiler {
    /// Nobody: only components that the cache has can be loaded.
    Nobody {
        /// Why there is none, and what to do about it.
        reason: String,
    },
    /// This process, without limits: for components that are trusted.
    InProcess,
    /// A process that calls [`serve`], one for each component that is not in the cache.
    Child {
        /// The program.
        program: PathBuf,
        /// Its first arguments; those of [`serve`] follow.
        args: Vec<OsString>,
    },
}

impl Default for Compiler {
    fn default() -> Self {
        Self::Nobody {
            reason: "this program has not chosen a compiler: give `Options::compiler` one"
                .to_owned(),
        }
    }
}

/// Why a component could not be compiled, though nothing is known to be wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum CompileFailure {
    /// Nobody was chosen to compile it.
    #[error("nothing compiles it: {reason}")]
    Nobody {
        /// Why, and what to do about it.
        reason: String,
    },
    /// There is no compiler.
    #[error("the compiler {} cannot be started", .program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It used up its memory.
    #[error("the compiler needs more than {} MiB of memory for it", .limit >> 20)]
    OutOfMemory {
        /// The limit in bytes.
        limit: u64,
    },
    /// It used up its processor time.
    #[error("the compiler needs more than {} s of processor time for it", .limit.as_secs())]
    OutOfTime {
        /// The limit.
        limit: Duration,
    },
    /// It was not done when nobody would wait any longer.
    #[error("the compiler was not done with it after {} s", .after.as_secs())]
    Stalled {
        /// How long it had.
        after: Duration,
    },
    /// A signal ended it.
    #[error("the compiler was ended by signal {signal}{}", killed(*.signal))]
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// It failed in another way.
    #[error("the compiler failed: {words}")]
    Failed {
        /// The end of what it said.
        words: String,
    },
    /// What it made is not for this sandbox.
    #[error("what the compiler made cannot be loaded: {detail}")]
    Unusable {
        /// What the engine said.
        detail: String,
    },
}

fn killed(signal: i32) -> &'static str {
    const SIGKILL: i32 = 9;
    if signal == SIGKILL {
        ", perhaps because this machine has no memory left"
    } else {
        ""
    }
}

/// What compiling one component may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Budget {
    /// Bytes of address space.
    memory: u64,
    /// Seconds of all processors together.
    cpu_seconds: u64,
}

impl Budget {
    // CPython, 18 MiB, takes 400 MB and 18 s.
    const BASE_MEMORY: u64 = 768 << 20;
    const MEMORY_FOR_EACH_BYTE: u64 = 32;
    const BASE_SECONDS: u64 = 20;
    const SECONDS_FOR_EACH_MIB: u64 = 6;

    /// A large component is a language's runtime: it may take minutes on a slow machine. A small one may not.
    fn of(bytes: usize) -> Self {
        let bytes = bytes as u64;
        Self {
            memory: Self::BASE_MEMORY + bytes * Self::MEMORY_FOR_EACH_BYTE,
            cpu_seconds: Self::BASE_SECONDS + (bytes >> 20) * Self::SECONDS_FOR_EACH_MIB,
        }
    }
}

/// Compiles a component for the sandbox.
pub(super) fn compile(core: &Core, bytes: &[u8]) -> Result<Component, Fault> {
    match &core.compiler {
        Compiler::Nobody { reason } => {
            let reason = reason.clone();
            Err(Fault::NotCompiled(CompileFailure::Nobody { reason }))
        }
        Compiler::InProcess => {
            Component::from_binary(&core.engine, bytes).map_err(|error| Fault::Corrupt {
                detail: format!("{error:#}"),
            })
        }
        Compiler::Child { program, args } => {
            let code = parent::compile(program, args, core.memories, bytes)?;
            load(&core.engine, &code)
        }
    }
}

fn load(engine: &Engine, code: &[u8]) -> Result<Component, Fault> {
    let component = NativeCode::from_compiler(code).load(engine);
    component.map_err(|error| {
        let detail = format!("{error:#}");
        Fault::NotCompiled(CompileFailure::Unusable { detail })
    })
}
