//! Why a plugin cannot be used, or a call of it failed.

use std::fmt;
use std::time::Duration;

use wasmtime::Trap;

use super::compile::CompileFailure;
use super::descriptor::InvalidDescriptor;
use super::form::TooComplex;
use super::imports::llm::NotGranted;
use super::imports::log::LogLine;
use super::limits::{Breach, Limits};
use super::model::Refusal;
use super::split::InvalidSplit;
use super::values::InvalidOutput;
use super::wasi::Exit;
use synix_core::printable;

/// A failure of the sandbox or of one plugin in it.
#[derive(Debug)]
pub struct PluginError {
    /// The plugin's name; `None` where the sandbox itself failed.
    pub plugin: Option<String>,
    /// What is wrong.
    pub fault: Box<Fault>,
    /// The last request that the host refused in the failed call.
    pub refusal: Option<Refusal>,
    /// What the plugin logged in the failed call.
    pub log: Vec<LogLine>,
}

impl PluginError {
    /// Wraps a failure outside any call.
    pub(super) fn new(plugin: Option<&str>, fault: Fault) -> Self {
        Self {
            plugin: plugin.map(str::to_owned),
            fault: Box::new(fault),
            refusal: None,
            log: Vec::new(),
        }
    }

    /// Tells whether the same call may succeed next time, so that the failure must not be stored.
    pub fn is_transient(&self) -> bool {
        self.fault.is_transient()
    }

    /// Tells whether the call was stopped from outside, so that nothing is known of it.
    pub fn is_interrupted(&self) -> bool {
        matches!(*self.fault, Fault::Interrupted)
    }

    /// Returns how many units there were, where they were too many for the caller.
    pub fn too_many_units(&self) -> Option<u64> {
        if let Fault::TooManyUnits { count, .. } = *self.fault {
            Some(count)
        } else {
            None
        }
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(plugin) = &self.plugin {
            write!(f, "plugin {plugin}: ")?;
        }
        self.fault.fmt(f)?;
        match &self.refusal {
            Some(refusal) => write!(f, " (the host had refused a request: {refusal})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault.source()
    }
}

/// What can be wrong with a plugin or a call.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The machine does not let the sandbox start.
    #[error("cannot set up the sandbox: {detail}")]
    Setup {
        /// What the engine said.
        detail: String,
    },
    /// The file does not start as wasm does.
    #[error("not a WebAssembly file")]
    NotWasm,
    /// The file is wasm, but no component.
    #[error(
        "a core module, not a component: encode it with `wasm-tools component new`, or build it with the synix-plugin SDK"
    )]
    CoreModule,
    /// The file is too large.
    #[error("{bytes} bytes is more than the {limit} that a component may have")]
    TooLarge {
        /// The file's size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The component is damaged, or uses what the sandbox does not have.
    #[error("cannot be compiled: {detail}")]
    Corrupt {
        /// What the compiler said.
        detail: String,
    },
    /// Compiling it would take beyond all reason, as its structure shows.
    #[error(transparent)]
    TooComplex(TooComplex),
    /// The compiler gave up on it.
    #[error("cannot be compiled")]
    NotCompiled(#[source] CompileFailure),
    /// It was built against another version of the contract.
    #[error("built for the contract {found}; this host offers {offered}")]
    ContractVersion {
        /// The interface it names, with its version.
        found: String,
        /// The contract of this host.
        offered: &'static str,
    },
    /// It needs something that no transform gets.
    #[error("imports {name}, which the host does not offer{}", wasi_hint(.name))]
    UnexpectedImport {
        /// The import.
        name: String,
    },
    /// It is not a transform.
    #[error("does not export {name}; a transform exports describe, split and execute")]
    MissingExport {
        /// The export.
        name: &'static str,
    },
    /// A function has another type than the contract's.
    #[error("does not fit the contract: {detail}")]
    WrongType {
        /// What the linker said.
        detail: String,
    },
    /// What it says of itself breaks a rule.
    #[error("describes itself wrongly")]
    BadDescriptor(#[source] InvalidDescriptor),
    /// It ran too long, counted in instructions.
    #[error("out of fuel: more than {limit} instructions (`limits.fuel`), perhaps an endless loop")]
    OutOfFuel {
        /// The limit.
        limit: u64,
    },
    /// It ran too long, by the clock of this machine.
    #[error("out of time: still running after {} s", .limit.as_secs())]
    OutOfTime {
        /// The limit.
        limit: Duration,
    },
    /// It asked for more memory than it may have.
    #[error("out of memory: needs more than {limit} bytes (`limits.memory_mb`)")]
    OutOfMemory {
        /// The limit.
        limit: usize,
    },
    /// It asks a model without the right to.
    #[error(
        "uses the capability `llm` without the right to: `describe` must declare it, the layer must grant it, and only `execute` may use it"
    )]
    NotGranted,
    /// Its calls are nested too deeply.
    #[error("out of stack: calls are nested too deeply")]
    StackOverflow,
    /// It crashed.
    #[error("crashed: {trap}{}", said(.message.as_deref()))]
    Trapped {
        /// How it ended, in the engine's words.
        trap: String,
        /// Its last log line of level error; a panic's message in guests made with the SDK.
        message: Option<String>,
    },
    /// It handed too much to the host.
    #[error("handed the host more than {limit} bytes")]
    HostcallTooLarge {
        /// The limit.
        limit: usize,
    },
    /// Its outputs are too large.
    #[error("the outputs of one unit have {bytes} bytes; {limit} are allowed")]
    OutputTooLarge {
        /// The size of the outputs.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// An output breaks a rule.
    #[error("output {position} is invalid")]
    InvalidOutput {
        /// Which output, counted from 0.
        position: usize,
        /// The rule.
        source: InvalidOutput,
    },
    /// The units break a rule.
    #[error("divides its inputs wrongly")]
    InvalidSplit(#[source] InvalidSplit),
    /// There are more units than the caller allows.
    #[error("divides its inputs into {count} units; {most} are allowed")]
    TooManyUnits {
        /// How many there are.
        count: u64,
        /// How many may be.
        most: u64,
    },
    /// It says that it cannot do its work.
    #[error("{}: {}", printable::escape_lines(.code), printable::escape_lines(.message))]
    Transform {
        /// The name of the case, such as `invalid-config`.
        code: String,
        /// Its own words.
        message: String,
    },
    /// It broke a rule of the component model.
    #[error("broke the component interface: {detail}")]
    Interface {
        /// What the engine said.
        detail: String,
    },
    /// More calls at once than the sandbox was made for.
    #[error("the sandbox is busy: {detail}")]
    Busy {
        /// What the engine said.
        detail: String,
    },
    /// Somebody stopped the calls of the sandbox.
    #[error("interrupted")]
    Interrupted,
    /// This machine has not the memory that the call may use.
    #[error(
        "this machine has not enough memory for the call, which is within its limits: {detail}"
    )]
    Machine {
        /// What the engine said.
        detail: String,
    },
    /// The host broke its own contract.
    #[error("the host failed: {detail}")]
    Host {
        /// How.
        detail: String,
    },
}

impl Fault {
    /// Tells whether the same call may succeed next time.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::OutOfTime { .. }
            | Self::Interrupted
            | Self::Busy { .. }
            | Self::Machine { .. }
            | Self::NotCompiled(_) => true,
            Self::Setup { .. }
            | Self::NotWasm
            | Self::CoreModule
            | Self::TooLarge { .. }
            | Self::Corrupt { .. }
            | Self::TooComplex(_)
            | Self::ContractVersion { .. }
            | Self::UnexpectedImport { .. }
            | Self::MissingExport { .. }
            | Self::WrongType { .. }
            | Self::BadDescriptor(_)
            | Self::OutOfFuel { .. }
            | Self::OutOfMemory { .. }
            | Self::NotGranted
            | Self::StackOverflow
            | Self::Trapped { .. }
            | Self::HostcallTooLarge { .. }
            | Self::OutputTooLarge { .. }
            | Self::InvalidOutput { .. }
            | Self::InvalidSplit(_)
            | Self::TooManyUnits { .. }
            | Self::Transform { .. }
            | Self::Interface { .. }
            | Self::Host { .. } => false,
        }
    }

    /// Names the error that unwound a guest; `message` is what it last logged as an error.
    pub(super) fn of(error: &wasmtime::Error, limits: &Limits, message: Option<String>) -> Self {
        if let Some(breach) = error.downcast_ref::<Breach>() {
            return match breach {
                Breach::Memory => Self::OutOfMemory {
                    limit: limits.memory_bytes,
                },
                Breach::Time => Self::OutOfTime { limit: limits.wall },
                Breach::Interrupted => Self::Interrupted,
                Breach::Hostcall => Self::HostcallTooLarge {
                    limit: limits.hostcall_bytes,
                },
                Breach::Machine => Self::Machine {
                    detail: format!("{error:#}"),
                },
            };
        }
        if error.is::<NotGranted>() {
            return Self::NotGranted;
        }
        if let Some(HostMistake(detail)) = error.downcast_ref::<HostMistake>() {
            return Self::Host {
                detail: (*detail).to_owned(),
            };
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() || error.is::<NoThread>() {
            return Self::Busy {
                detail: format!("{error:#}"),
            };
        }
        if let Some(NotStarted(detail)) = error.downcast_ref::<NotStarted>() {
            return Self::Machine {
                detail: detail.clone(),
            };
        }
        if let Some(Exit(status)) = error.downcast_ref::<Exit>() {
            return Self::Trapped {
                trap: format!("it exited with status {status}"),
                message,
            };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Self::OutOfFuel { limit: limits.fuel },
            Some(Trap::StackOverflow) => Self::StackOverflow,
            Some(trap) => {
                let trap = trap.to_string();
                let trap = trap.strip_prefix("wasm trap: ").unwrap_or(&trap).to_owned();
                Self::Trapped { trap, message }
            }
            None if is_hostcall_fuel(error) => Self::HostcallTooLarge {
                limit: limits.hostcall_bytes,
            },
            None => Self::Interface {
                detail: format!("{error:#}"),
            },
        }
    }
}

/// A rule that the host broke, found while a guest waits; unwinds the guest as an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct HostMistake(pub(super) &'static str);

/// No instance could be made, though the guest did nothing wrong yet.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotStarted(String);

impl NotStarted {
    /// Tells what a guest did when it was instantiated from what this machine could not give it.
    pub(super) fn of(error: wasmtime::Error) -> wasmtime::Error {
        let is_guests = error.is::<Trap>()
            || error.is::<Breach>()
            || error.is::<Exit>()
            || error.is::<HostMistake>()
            || error.is::<NotGranted>()
            || error.is::<wasmtime::PoolConcurrencyLimitError>()
            || is_hostcall_fuel(&error);
        if is_guests {
            error
        } else {
            Self(format!("{error:#}")).into()
        }
    }
}

/// The engine has no type for this one; a test holds the text.
fn is_hostcall_fuel(error: &wasmtime::Error) -> bool {
    format!("{error:#}").contains("fuel allocated for hostcalls has been exhausted")
}

/// The machine had no thread for a call.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a thread")]
pub(super) struct NoThread(#[source] pub(super) std::io::Error);

fn wasi_hint(import: &str) -> &'static str {
    if import.starts_with("wasi:") {
        "; build it without this interface: of WASI a transform has cli, clocks, filesystem, io, random and sockets of version 0.2"
    } else {
        ""
    }
}

fn said(message: Option<&str>) -> String {
    message
        .map(|message| format!(": {}", printable::escape_lines(message)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_words_cannot_steer_the_terminal_of_who_reads_them() {
        let words = "\u{1b}[2Jgrün\u{202e}\r\nline";
        let shown = "\\u{1b}[2Jgrün\\u{202e}\nline";
        let own = Fault::Transform {
            code: "invalid-input".to_owned(),
            message: words.to_owned(),
        };
        assert_eq!(own.to_string(), format!("invalid-input: {shown}"));
        let trapped = Fault::Trapped {
            trap: "unreachable".to_owned(),
            message: Some(words.to_owned()),
        };
        assert_eq!(
            trapped.to_string(),
            format!("crashed: unreachable: {shown}")
        );
    }
}
