//! A deterministic WASI, for guests whose language runtime requires it.
//!
//! | interface | what a guest gets |
//! | --- | --- |
//! | `wasi:clocks` | always the same time; a sleep ends immediately |
//! | `wasi:random` | bytes that are derived from the arguments of the call |
//! | `wasi:cli` | no arguments, no environment, empty stdin; stdout and stderr become log lines |
//! | `wasi:filesystem` | no folders, and so no files |
//! | `wasi:sockets` | every attempt is denied |
//!
//! It is created when a guest first uses it, so a component without WASI pays nothing.

mod clocks;
mod console;
mod interface;
mod random;
mod streams;
mod stubs;

use wasmtime::component::ResourceTable;

use self::console::Console;
use self::random::RandomBytes;
use super::imports::State;
use super::imports::log::Log;
use synix_core::digest::Digest;

type Linker = wasmtime::component::Linker<State>;

/// The version whose interfaces are offered; patch versions only add functions.
const VERSION: &str = "0.2.";
const OFFERED_INTERFACES: [&str; 27] = [
    "cli/environment",
    "cli/exit",
    "cli/stderr",
    "cli/stdin",
    "cli/stdout",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stderr",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "filesystem/preopens",
    "filesystem/types",
    "io/error",
    "io/poll",
    "io/streams",
    "random/insecure",
    "random/insecure-seed",
    "random/random",
    "sockets/instance-network",
    "sockets/ip-name-lookup",
    "sockets/network",
    "sockets/tcp",
    "sockets/tcp-create-socket",
    "sockets/udp",
    "sockets/udp-create-socket",
];
/// The maximum number of streams, pollables and other resources of one call.
const RESOURCES: usize = 4096;

/// Returns whether an import belongs to WASI.
pub(super) fn is_wasi(import: &str) -> bool {
    import.starts_with("wasi:")
}

/// Returns whether the host offers this import of WASI.
pub(super) fn is_offered(import: &str) -> bool {
    let named = import
        .strip_prefix("wasi:")
        .and_then(|name| name.split_once('@'));
    named.is_some_and(|(name, version)| {
        version.starts_with(VERSION) && OFFERED_INTERFACES.contains(&name)
    })
}

/// Ends a run because the guest exits; unwinds the guest as an error.
#[derive(Debug, thiserror::Error)]
#[error("exited with status {0}")]
pub(super) struct Exit(pub(super) u8);

/// The WASI of one call.
pub(super) struct Wasi {
    seed: Digest,
    resources: Option<Box<Resources>>,
}

/// The state that is created at the first use.
struct Resources {
    table: ResourceTable,
    random: RandomBytes,
    console: Console,
}

impl Wasi {
    /// Prepares the WASI of one call; its random bytes are derived from `seed`.
    pub(super) fn new(seed: Digest) -> Self {
        Self {
            seed,
            resources: None,
        }
    }

    /// Returns the number of bytes that the guest printed so far.
    pub(super) fn bytes_printed(&self) -> u64 {
        self.resources
            .as_ref()
            .map_or(0, |resources| resources.console.bytes_printed())
    }

    /// Moves the complete lines into the log.
    pub(super) fn drain_into(&mut self, log: &mut Log) {
        if let Some(resources) = &mut self.resources {
            resources.console.drain_into(log);
        }
    }

    /// Moves the remaining output into the log and returns the end of stderr.
    pub(super) fn close(self, log: &mut Log) -> Option<String> {
        self.resources
            .and_then(|resources| resources.console.close(log))
    }

    fn resources(&mut self) -> &mut Resources {
        self.resources.get_or_insert_with(|| {
            let mut table = ResourceTable::new();
            table.set_max_capacity(RESOURCES);
            Box::new(Resources {
                table,
                random: RandomBytes::new(self.seed),
                console: Console::default(),
            })
        })
    }
}

/// Adds WASI to the linker of all components.
pub(super) fn add_to_linker(linker: &mut Linker) -> wasmtime::Result<()> {
    clocks::add_to(linker)?;
    random::add_to(linker)?;
    streams::add_to(linker)?;
    stubs::add_to(linker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_interfaces_of_the_offered_version_are_offered() {
        for good in [
            "wasi:cli/stdout@0.2.0",
            "wasi:sockets/udp-create-socket@0.2.6",
        ] {
            assert!(is_offered(good), "{good}");
        }
        for bad in [
            "wasi:cli/stdout",
            "wasi:cli/stdout@0.3.0",
            "wasi:cli/run@0.2.0",
            "wasi:http/types@0.2.0",
            "cli/stdout@0.2.0",
        ] {
            assert!(!is_offered(bad), "{bad}");
        }
    }
}
