//! Compiles components, in this process or in one with limits.
//!
//! A compiler is a large program, and untrusted bytes decide what it costs. The command `synix` therefore compiles each
//! component in a process of its own with limits of memory and time. A killed compiler is an error like any other.
//! [`super::complexity`] refuses the worst components before that, with the same message on every machine.

mod child;
mod parent;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::Shared;
use super::fault::Fault;
use synix_native::NativeCode;

pub use child::{CompilerServeError, serve};

/// What compiles components. A program that embeds synix chooses it; the default is that nothing does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiler {
    /// Nothing: only components in the cache can be loaded.
    Disabled {
        /// Why nothing compiles, and what to do about it.
        reason: String,
    },
    /// This process, without limits: only for trusted components.
    InProcess,
    /// A process that calls [`serve`]; the sandbox starts one for each component that is not in the cache.
    Child {
        /// The program.
        program: PathBuf,
        /// The first arguments of the program; those of [`serve`] follow.
        args: Vec<OsString>,
    },
}

impl Default for Compiler {
    fn default() -> Self {
        Self::Disabled {
            reason: "this program has no compiler; set `Options::compiler`".to_owned(),
        }
    }
}

/// Why the compiler failed, although nothing is known to be wrong with the component.
#[derive(Debug, thiserror::Error)]
pub enum CompileFailure {
    /// There is no compiler.
    #[error("{reason}")]
    Disabled {
        /// Why there is none, and what to do about it.
        reason: String,
    },
    /// The compiler's process cannot be started.
    #[error("the compiler {} cannot be started", .program.display())]
    InstantiationError {
        /// The program.
        program: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// It needs more memory than its limit.
    #[error("the compiler needs more than its {} MiB of memory", .limit >> 20)]
    OutOfMemory {
        /// The limit in bytes.
        limit: u64,
    },
    /// It needs more processor time than its limit.
    #[error("the compiler needs more than its {} s of processor time", .limit.as_secs())]
    OutOfTime {
        /// The limit.
        limit: Duration,
    },
    /// It was still running when its time was over.
    #[error("the compiler was still running after {} s", .after.as_secs())]
    TimedOut {
        /// The time limit.
        after: Duration,
    },
    /// A signal killed it.
    #[error("signal {signal} killed the compiler{}", killed(*.signal))]
    Killed {
        /// The number of the signal.
        signal: i32,
    },
    /// It failed in another way.
    #[error("the compiler failed: {detail}")]
    Failed {
        /// The exit status and the end of stderr.
        detail: String,
    },
    /// The engine does not load the result.
    #[error("the result of the compiler cannot be loaded: {detail}")]
    Unusable {
        /// The error of the engine.
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

/// The limits of compiling one component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CompileLimits {
    /// Bytes of address space.
    memory: u64,
    /// Seconds of processor time, on all processors together.
    cpu_seconds: u64,
}

impl CompileLimits {
    // CPython, 18 MiB, takes 400 MB and 18 s.
    const BASE_MEMORY: u64 = 768 << 20;
    const MEMORY_FOR_EACH_BYTE: u64 = 32;
    const BASE_SECONDS: u64 = 20;
    const SECONDS_FOR_EACH_MIB: u64 = 6;

    /// A large component contains a language runtime and may take minutes on a slow machine. A small one may not.
    fn of(bytes: usize) -> Self {
        let bytes = bytes as u64;
        Self {
            memory: Self::BASE_MEMORY + bytes * Self::MEMORY_FOR_EACH_BYTE,
            cpu_seconds: Self::BASE_SECONDS + (bytes >> 20) * Self::SECONDS_FOR_EACH_MIB,
        }
    }
}

/// Compiles a component for the sandbox.
pub(super) fn compile(shared: &Shared, bytes: &[u8]) -> Result<Component, Fault> {
    match &shared.compiler {
        Compiler::Disabled { reason } => {
            let reason = reason.clone();
            Err(Fault::NotCompiled(CompileFailure::Disabled { reason }))
        }
        Compiler::InProcess => {
            Component::from_binary(&shared.engine, bytes).map_err(|error| Fault::Corrupt {
                detail: format!("{error:#}"),
            })
        }
        Compiler::Child { program, args } => {
            let code = parent::compile(program, args, shared.memory_allocation, bytes)?;
            load(&shared.engine, &code)
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
