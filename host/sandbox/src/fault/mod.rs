//! What can be wrong with a plugin or a call.

use std::time::Duration;

use super::compile::CompileFailure;
use super::complexity::TooComplex;
use super::descriptor::InvalidDescriptor;
use super::split::InvalidSplit;
use super::values::InvalidOutput;
use super::world::World;
use synix_core::printable;

/// What can be wrong with a plugin or a call.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The engine cannot be created.
    #[error("cannot set up the sandbox: {detail}")]
    Setup {
        /// The error of the engine.
        detail: String,
    },
    /// The file does not begin like a WebAssembly file.
    #[error("not a WebAssembly file")]
    NotWasm,
    /// The file is a core module, not a component.
    #[error(
        "a core module, not a component: encode it with `wasm-tools component new`, or build it with the synix-plugin SDK"
    )]
    CoreModule,
    /// The file is too large.
    #[error("has {bytes} bytes; at most {limit} are allowed for a component")]
    TooLarge {
        /// The file's size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The component is damaged, or uses a feature that the sandbox does not have.
    #[error("cannot be compiled: {detail}")]
    Corrupt {
        /// The error of the compiler.
        detail: String,
    },
    /// Its structure shows that it would be far too expensive to compile.
    #[error(transparent)]
    TooComplex(TooComplex),
    /// The compiler failed.
    #[error("cannot be compiled")]
    NotCompiled(#[source] CompileFailure),
    /// The plugin was built for another version of the contract.
    #[error("built for the contract {found}; this host offers {offered}")]
    ContractVersion {
        /// The interface that it names, with its version.
        found: String,
        /// The contract of this host.
        offered: &'static str,
    },
    /// It imports an interface that the host does not offer.
    #[error("imports {name}, which the host does not offer{}", wasi_hint(.name))]
    UnexpectedImport {
        /// The import.
        name: String,
    },
    /// It lacks an export of its world.
    #[error("does not export {name}; a {world} exports {}", .world.export_list())]
    MissingExport {
        /// The export.
        name: &'static str,
        /// The world that it is loaded as.
        world: World,
    },
    /// It is a plugin of the other world.
    #[error("is a {found}; {}", .found.advice())]
    WrongWorld {
        /// Its world.
        found: World,
    },
    /// A function does not have the type of the contract.
    #[error("does not fit the contract: {detail}")]
    WrongType {
        /// The error of the linker.
        detail: String,
    },
    /// Its descriptor breaks a rule.
    #[error("describes itself wrongly")]
    InvalidDescriptor(#[source] InvalidDescriptor),
    /// It used more instructions than its limit.
    #[error("out of fuel: more than {limit} instructions (`limits.fuel`), perhaps an endless loop")]
    OutOfFuel {
        /// The limit.
        limit: u64,
    },
    /// It took more time than its limit.
    #[error("out of time: still running after {} s", .limit.as_secs())]
    OutOfTime {
        /// The limit.
        limit: Duration,
    },
    /// It needs more memory than its limit.
    #[error("out of memory: needs more than {limit} bytes (`limits.memory_mb`)")]
    OutOfMemory {
        /// The limit.
        limit: usize,
    },
    /// It used a capability without a grant.
    #[error(
        "uses the capability `{capability}` without permission: `describe` must declare it, the layer must grant it, and only `execute` may use it"
    )]
    NotGranted {
        /// The capability.
        capability: &'static str,
    },
    /// Its calls are nested too deeply.
    #[error("out of stack: calls are nested too deeply")]
    StackOverflow,
    /// It crashed.
    #[error("crashed: {trap}{}", suffix(.message.as_deref()))]
    Trapped {
        /// The engine's description of the crash.
        trap: String,
        /// The last log line of level error; the SDKs log the message of a panic there.
        message: Option<String>,
    },
    /// It passed too many bytes to the host.
    #[error("passed more than {limit} bytes to the host")]
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
    /// An artifact that a reader emits breaks a rule.
    #[error("artifact {position}{} is invalid", at_place(.place))]
    InvalidEmit {
        /// The place in the file that the reader named last.
        place: String,
        /// Which artifact of the file, counted from 0.
        position: usize,
        /// The rule.
        source: InvalidOutput,
    },
    /// A reader skips something for a reason that this host does not know.
    #[error("skips something for the reason {name:?}, which this host does not know")]
    UnknownReason {
        /// The reason.
        name: String,
    },
    /// A reader emits nothing and skips nothing.
    #[error("found nothing in the file, and reported nothing as skipped")]
    NothingRead,
    /// The file that a reader reads cannot be read.
    #[error("the file cannot be read")]
    FileUnreadable {
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The units of its `split` break a rule.
    #[error("divides its inputs wrongly")]
    InvalidSplit(#[source] InvalidSplit),
    /// There are more units than the caller allows.
    #[error("splits its inputs into {count} units; {limit} are allowed")]
    TooManyUnits {
        /// The number of units.
        count: u64,
        /// The limit.
        limit: u64,
    },
    /// The plugin returned an error.
    #[error("{}: {}", printable::escape_lines(.code), printable::escape_lines(.message))]
    Transform {
        /// The code of the error, such as `invalid-config`.
        code: String,
        /// The message of the plugin.
        message: String,
    },
    /// It broke a rule of the component model.
    #[error("violates the component model: {detail}")]
    Interface {
        /// The error of the engine.
        detail: String,
    },
    /// There are more calls at once than the sandbox was created for.
    #[error("the sandbox has no free instance: {detail}")]
    Busy {
        /// The error of the engine.
        detail: String,
    },
    /// The call was interrupted.
    #[error("interrupted")]
    Interrupted,
    /// The machine cannot provide the memory that the limits allow.
    #[error(
        "this machine has too little memory for the call, which is within its limits: {detail}"
    )]
    Machine {
        /// The error of the engine.
        detail: String,
    },
    /// The host broke its own contract.
    #[error("the host failed: {detail}")]
    Host {
        /// What went wrong.
        detail: String,
    },
}

impl Fault {
    /// Returns whether a retry of the call may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::OutOfTime { .. }
            | Self::Interrupted
            | Self::Busy { .. }
            | Self::Machine { .. }
            | Self::FileUnreadable { .. }
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
            | Self::WrongWorld { .. }
            | Self::InvalidEmit { .. }
            | Self::UnknownReason { .. }
            | Self::NothingRead
            | Self::WrongType { .. }
            | Self::InvalidDescriptor(_)
            | Self::OutOfFuel { .. }
            | Self::OutOfMemory { .. }
            | Self::NotGranted { .. }
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
}

fn wasi_hint(import: &str) -> &'static str {
    if import.starts_with("wasi:") {
        "; build it without this interface: a transform can import cli, clocks, filesystem, io, random and sockets of WASI 0.2"
    } else {
        ""
    }
}

fn at_place(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!(" at {}", printable::escape_lines(place))
    }
}

fn suffix(message: Option<&str>) -> String {
    message
        .map(|message| format!(": {}", printable::escape_lines(message)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
