//! WASI for guests whose language runtime insists on it, the same on every run.
//!
//! | interface | what a guest finds |
//! | --- | --- |
//! | `wasi:clocks` | one moment that never passes; a sleep ends at once |
//! | `wasi:random` | bytes that follow from what the call is given |
//! | `wasi:cli` | no arguments, no environment, empty stdin; stdout and stderr become log lines |
//! | `wasi:filesystem` | no folder, so no file |
//! | `wasi:sockets` | every attempt is denied |
//!
//! It is built when a guest first reaches for it: a component that imports
//! none pays nothing.

mod absent;
mod console;
mod frozen;
mod interface;
mod random;
mod streams;

use wasmtime::component::ResourceTable;

use self::console::Console;
use self::random::Random;
use super::imports::State;
use super::imports::log::Log;
use synix_core::digest::Digest;

type Linker = wasmtime::component::Linker<State>;

/// The version whose interfaces are offered; its patches only add.
const VERSION: &str = "0.2.";
const OFFERED: [&str; 27] = [
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
/// Streams, pollables and the like that one call may hold.
const RESOURCES: usize = 4096;

/// Tells whether an import is one of WASI's.
pub(super) fn is_wasi(import: &str) -> bool {
    import.starts_with("wasi:")
}

/// Tells whether an import of WASI is offered.
pub(super) fn offers(import: &str) -> bool {
    let named = import
        .strip_prefix("wasi:")
        .and_then(|name| name.split_once('@'));
    named.is_some_and(|(name, version)| version.starts_with(VERSION) && OFFERED.contains(&name))
}

/// Ends a run because the guest asked for it; unwinds the guest as an error.
#[derive(Debug, thiserror::Error)]
#[error("exited with status {0}")]
pub(super) struct Exit(pub(super) u8);

/// The WASI of one call.
pub(super) struct Wasi {
    seed: Digest,
    open: Option<Box<Open>>,
}

/// What is built when a guest first reaches for it.
struct Open {
    table: ResourceTable,
    random: Random,
    console: Console,
}

impl Wasi {
    /// Prepares what a guest may reach for; its random bytes follow from `seed`.
    pub(super) fn new(seed: Digest) -> Self {
        Self { seed, open: None }
    }

    /// Returns how many bytes the guest printed so far.
    pub(super) fn printed(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.console.printed())
    }

    /// Moves the lines that the guest finished since into the log.
    pub(super) fn drain_into(&mut self, log: &mut Log) {
        if let Some(open) = &mut self.open {
            open.console.drain_into(log);
        }
    }

    /// Moves all that the guest wrote into the log; returns the end of what it wrote to stderr.
    pub(super) fn close(self, log: &mut Log) -> Option<String> {
        self.open.and_then(|open| open.console.close(log))
    }

    fn open(&mut self) -> &mut Open {
        self.open.get_or_insert_with(|| {
            let mut table = ResourceTable::new();
            table.set_max_capacity(RESOURCES);
            Box::new(Open {
                table,
                random: Random::new(self.seed),
                console: Console::default(),
            })
        })
    }
}

/// Offers WASI to every component; one that does not import it never notices. Each way in costs fuel.
pub(super) fn add_to_linker(linker: &mut Linker) -> wasmtime::Result<()> {
    frozen::add_to(linker)?;
    random::add_to(linker)?;
    streams::add_to(linker)?;
    absent::add_to(linker)
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
            assert!(offers(good), "{good}");
        }
        for bad in [
            "wasi:cli/stdout",
            "wasi:cli/stdout@0.3.0",
            "wasi:cli/run@0.2.0",
            "wasi:http/types@0.2.0",
            "cli/stdout@0.2.0",
        ] {
            assert!(!offers(bad), "{bad}");
        }
    }
}
