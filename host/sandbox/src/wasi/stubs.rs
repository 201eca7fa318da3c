//! Interfaces without content: arguments, environment, terminals, folders and sockets.
//!
//! A language runtime can be loaded only if each function of its interfaces exists. No function returns one of the
//! resources below, so their methods are stubs.

use wasmtime::component::{ComponentType, Lift, Lower, Resource};

use super::interface::{Interface, instance};
use super::{Exit, Linker};
use crate::imports::State;

enum TerminalInput {}
enum TerminalOutput {}
enum Descriptor {}
enum DirectoryEntryStream {}
enum TcpSocket {}
enum UdpSocket {}
enum IncomingDatagramStream {}
enum OutgoingDatagramStream {}
enum ResolveAddressStream {}

/// The network for name lookups; every lookup fails.
struct Network;

#[derive(ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "guests create the values")]
enum IpAddressFamily {
    #[component(name = "ipv4")]
    Ipv4,
    #[component(name = "ipv6")]
    Ipv6,
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "the type must match the interface")]
enum ErrorCode {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "not-supported")]
    NotSupported,
    #[component(name = "invalid-argument")]
    InvalidArgument,
    #[component(name = "out-of-memory")]
    OutOfMemory,
    #[component(name = "timeout")]
    Timeout,
    #[component(name = "concurrency-conflict")]
    ConcurrencyConflict,
    #[component(name = "not-in-progress")]
    NotInProgress,
    #[component(name = "would-block")]
    WouldBlock,
    #[component(name = "invalid-state")]
    InvalidState,
    #[component(name = "new-socket-limit")]
    NewSocketLimit,
    #[component(name = "address-not-bindable")]
    AddressNotBindable,
    #[component(name = "address-in-use")]
    AddressInUse,
    #[component(name = "remote-unreachable")]
    RemoteUnreachable,
    #[component(name = "connection-refused")]
    ConnectionRefused,
    #[component(name = "connection-reset")]
    ConnectionReset,
    #[component(name = "connection-aborted")]
    ConnectionAborted,
    #[component(name = "datagram-too-large")]
    DatagramTooLarge,
    #[component(name = "name-unresolvable")]
    NameUnresolvable,
    #[component(name = "temporary-resolver-failure")]
    TemporaryResolverFailure,
    #[component(name = "permanent-resolver-failure")]
    PermanentResolverFailure,
}

const DESCRIPTOR_METHODS: [&str; 27] = [
    "read-via-stream",
    "write-via-stream",
    "append-via-stream",
    "advise",
    "sync-data",
    "get-flags",
    "get-type",
    "set-size",
    "set-times",
    "read",
    "write",
    "read-directory",
    "sync",
    "create-directory-at",
    "stat",
    "stat-at",
    "set-times-at",
    "link-at",
    "open-at",
    "readlink-at",
    "remove-directory-at",
    "rename-at",
    "symlink-at",
    "unlink-file-at",
    "is-same-object",
    "metadata-hash",
    "metadata-hash-at",
];
const TCP_SOCKET_METHODS: [&str; 28] = [
    "start-bind",
    "finish-bind",
    "start-connect",
    "finish-connect",
    "start-listen",
    "finish-listen",
    "accept",
    "local-address",
    "remote-address",
    "is-listening",
    "address-family",
    "set-listen-backlog-size",
    "keep-alive-enabled",
    "set-keep-alive-enabled",
    "keep-alive-idle-time",
    "set-keep-alive-idle-time",
    "keep-alive-interval",
    "set-keep-alive-interval",
    "keep-alive-count",
    "set-keep-alive-count",
    "hop-limit",
    "set-hop-limit",
    "receive-buffer-size",
    "set-receive-buffer-size",
    "send-buffer-size",
    "set-send-buffer-size",
    "subscribe",
    "shutdown",
];
const UDP_SOCKET_METHODS: [&str; 13] = [
    "start-bind",
    "finish-bind",
    "stream",
    "local-address",
    "remote-address",
    "address-family",
    "unicast-hop-limit",
    "set-unicast-hop-limit",
    "receive-buffer-size",
    "set-receive-buffer-size",
    "send-buffer-size",
    "set-send-buffer-size",
    "subscribe",
];

/// Adds the interfaces without content.
pub(super) fn add_to(linker: &mut Linker) -> wasmtime::Result<()> {
    add_cli(linker)?;
    add_filesystem(linker)?;
    add_sockets(linker)
}

fn add_cli(linker: &mut Linker) -> wasmtime::Result<()> {
    let mut environment = instance(linker, "cli/environment")?;
    environment.function("get-environment", |_, ()| {
        Ok((Vec::<(String, String)>::new(),))
    })?;
    environment.function("get-arguments", |_, ()| Ok((Vec::<String>::new(),)))?;
    environment.function("initial-cwd", |_, ()| Ok((None::<String>,)))?;

    let mut exit = instance(linker, "cli/exit")?;
    exit.function("exit", |_, (status,): (Result<(), ()>,)| {
        Err::<(), _>(Exit(u8::from(status.is_err())).into())
    })?;
    exit.function("exit-with-code", |_, (status,): (u8,)| {
        Err::<(), _>(Exit(status).into())
    })?;

    instance(linker, "cli/terminal-input")?.resource::<TerminalInput>("terminal-input")?;
    instance(linker, "cli/terminal-output")?.resource::<TerminalOutput>("terminal-output")?;
    instance(linker, "cli/terminal-stdin")?.function("get-terminal-stdin", |_, ()| {
        Ok((None::<Resource<TerminalInput>>,))
    })?;
    for (interface, function) in [
        ("cli/terminal-stdout", "get-terminal-stdout"),
        ("cli/terminal-stderr", "get-terminal-stderr"),
    ] {
        instance(linker, interface)?
            .function(function, |_, ()| Ok((None::<Resource<TerminalOutput>>,)))?;
    }
    Ok(())
}

fn add_filesystem(linker: &mut Linker) -> wasmtime::Result<()> {
    let mut types = instance(linker, "filesystem/types")?;
    types.stub_resource::<Descriptor>("descriptor", &DESCRIPTOR_METHODS)?;
    types.stub_resource::<DirectoryEntryStream>(
        "directory-entry-stream",
        &["read-directory-entry"],
    )?;
    types.stub_function("filesystem-error-code")?;
    instance(linker, "filesystem/preopens")?.function("get-directories", |_, ()| {
        Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
    })
}

fn add_sockets(linker: &mut Linker) -> wasmtime::Result<()> {
    instance(linker, "sockets/network")?.resource::<Network>("network")?;
    instance(linker, "sockets/instance-network")?.function("instance-network", |state, ()| {
        Ok((state.wasi.resources().table.push(Network)?,))
    })?;

    let mut names = instance(linker, "sockets/ip-name-lookup")?;
    names.stub_resource::<ResolveAddressStream>(
        "resolve-address-stream",
        &["resolve-next-address", "subscribe"],
    )?;
    names.function("resolve-addresses", |_, _: (Resource<Network>, String)| {
        Ok((refused::<ResolveAddressStream>(
            ErrorCode::PermanentResolverFailure,
        ),))
    })?;

    instance(linker, "sockets/tcp")?
        .stub_resource::<TcpSocket>("tcp-socket", &TCP_SOCKET_METHODS)?;
    add_create::<TcpSocket>(
        &mut instance(linker, "sockets/tcp-create-socket")?,
        "create-tcp-socket",
    )?;

    let mut udp = instance(linker, "sockets/udp")?;
    udp.stub_resource::<UdpSocket>("udp-socket", &UDP_SOCKET_METHODS)?;
    udp.stub_resource::<IncomingDatagramStream>(
        "incoming-datagram-stream",
        &["receive", "subscribe"],
    )?;
    udp.stub_resource::<OutgoingDatagramStream>(
        "outgoing-datagram-stream",
        &["check-send", "send", "subscribe"],
    )?;
    add_create::<UdpSocket>(
        &mut instance(linker, "sockets/udp-create-socket")?,
        "create-udp-socket",
    )
}

fn add_create<T: 'static>(interface: &mut Interface<'_>, name: &str) -> wasmtime::Result<()> {
    interface.function(name, |_: &mut State, _: (IpAddressFamily,)| {
        Ok((refused::<T>(ErrorCode::AccessDenied),))
    })
}

const fn refused<T: 'static>(code: ErrorCode) -> Result<Resource<T>, ErrorCode> {
    Err(code)
}
