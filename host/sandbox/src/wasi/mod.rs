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

mod console;
mod frozen;
mod random;

use bytes::Bytes;
use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::sync::{
    filesystem::types, io, sockets::tcp, sockets::udp, sockets::udp_create_socket,
};
use wasmtime_wasi::p2::bindings::{self, cli, clocks, filesystem, sockets};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use self::console::Console;
use self::random::Random;
use super::imports::State;
use super::imports::log::Log;
use synix_core::digest::Digest;

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

/// The WASI of one call.
pub(super) struct Wasi {
    seed: Digest,
    open: Option<Box<Open>>,
}

/// What is built when a guest first reaches for it.
struct Open {
    context: WasiCtx,
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
        if let Some(open) = &self.open {
            open.console.drain_into(log);
        }
    }

    /// Moves all that the guest wrote into the log; returns the end of what it wrote to stderr.
    pub(super) fn close(self, log: &mut Log) -> Option<String> {
        self.open.and_then(|open| open.console.close(log))
    }

    fn open(&mut self) -> &mut Open {
        self.open.get_or_insert_with(|| {
            let console = Console::default();
            let mut table = ResourceTable::new();
            table.set_max_capacity(RESOURCES);
            let context = WasiCtx::builder()
                // The default one reads in the background, so what a guest sees of it would depend on time.
                .stdin(MemoryInputPipe::new(Bytes::new()))
                .stdout(console.stdout())
                .stderr(console.stderr())
                .allow_tcp(false)
                .allow_udp(false)
                .allow_ip_name_lookup(false)
                .build();
            Box::new(Open {
                context,
                table,
                random: Random::new(self.seed),
                console,
            })
        })
    }
}

impl WasiView for Wasi {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let open = self.open();
        WasiCtxView {
            ctx: &mut open.context,
            table: &mut open.table,
        }
    }
}

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// Offers WASI to every component; one that does not import it never notices. Each way in costs fuel.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let l = linker;
    clocks::wall_clock::add_to_linker::<State, HasSelf<State>>(l, State::entered)?;
    clocks::monotonic_clock::add_to_linker::<State, HasSelf<State>>(l, State::entered)?;
    bindings::random::random::add_to_linker::<State, HasSelf<State>>(l, State::entered)?;
    bindings::random::insecure::add_to_linker::<State, HasSelf<State>>(l, State::entered)?;
    bindings::random::insecure_seed::add_to_linker::<State, HasSelf<State>>(l, State::entered)?;

    io::error::add_to_linker::<State, HasTable>(l, |state| state.entered().wasi.ctx().table)?;
    io::poll::add_to_linker::<State, HasTable>(l, |state| state.entered().wasi.ctx().table)?;
    io::streams::add_to_linker::<State, HasTable>(l, |state| state.entered().wasi.ctx().table)?;

    cli::environment::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::exit::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::stdin::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::stdout::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::stderr::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, |state| state.entered().wasi.cli())?;

    filesystem::preopens::add_to_linker::<State, WasiFilesystem>(l, |state| {
        state.entered().wasi.filesystem()
    })?;
    types::add_to_linker::<State, WasiFilesystem>(l, |state| state.entered().wasi.filesystem())?;

    sockets::network::add_to_linker::<State, WasiSockets>(l, &Default::default(), |state| {
        state.entered().wasi.sockets()
    })?;
    sockets::instance_network::add_to_linker::<State, WasiSockets>(l, |state| {
        state.entered().wasi.sockets()
    })?;
    sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(l, |state| {
        state.entered().wasi.sockets()
    })?;
    sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(l, |state| {
        state.entered().wasi.sockets()
    })?;
    tcp::add_to_linker::<State, WasiSockets>(l, |state| state.entered().wasi.sockets())?;
    udp_create_socket::add_to_linker::<State, WasiSockets>(l, |state| {
        state.entered().wasi.sockets()
    })?;
    udp::add_to_linker::<State, WasiSockets>(l, |state| state.entered().wasi.sockets())
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
