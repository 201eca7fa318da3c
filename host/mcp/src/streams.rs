//! Connects a server to streams that block, such as stdin and stdout.

use std::io::{self, Read, Write};
use std::thread;

use rmcp::ServiceExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::runtime::Handle;

use crate::library::Library;
use crate::server::Server;

/// The number of bytes that a stream may be ahead of its reader.
const BUFFER: usize = 64 * 1024;

/// Why a server ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The operating system refused a thread or a timer.
    #[error("cannot start the MCP server")]
    System(#[source] io::Error),
    /// The client and the server could not agree on a version, or the first message was another one.
    #[error("the MCP client did not begin the session as the protocol requires")]
    Handshake(#[source] Box<rmcp::service::ServerInitializeError>),
    /// A reply could not be written.
    #[error("cannot write to the MCP client")]
    Write(#[source] io::Error),
}

/// Serves one client until it closes `input`. Each message is a line of JSON.
pub fn serve<L: Library>(
    library: L,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeError::System)?;
    let (requests, from_client) = tokio::io::duplex(BUFFER);
    let (replies, to_client) = tokio::io::duplex(BUFFER);
    let handle = runtime.handle().clone();
    let reading = handle.clone();
    // It blocks in a read for as long as the client is silent, so nobody waits for it.
    thread::Builder::new()
        .name("synix-mcp-input".to_owned())
        .spawn(move || copy_in(&reading, input, requests))
        .map_err(ServeError::System)?;
    let writer = thread::Builder::new()
        .name("synix-mcp-output".to_owned())
        .spawn(move || copy_out(&handle, to_client, output))
        .map_err(ServeError::System)?;
    let served = runtime.block_on(async {
        let server = Server::new(library).serve((from_client, replies)).await;
        match server {
            Ok(server) => {
                // A call that panics is reported to the client; the session itself goes on.
                let _ = server.waiting().await;
                Ok(())
            }
            // A client that leaves at once wants nothing.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(ServeError::Handshake(Box::new(error))),
        }
    });
    // The last replies are on their way.
    let written = runtime.block_on(async {
        tokio::task::spawn_blocking(move || writer.join().unwrap_or(Ok(())))
            .await
            .unwrap_or(Ok(()))
    });
    served?;
    match written {
        // The client has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(ServeError::Write),
    }
}

fn copy_in(handle: &Handle, mut input: impl Read, mut requests: DuplexStream) {
    let mut buffer = vec![0; BUFFER];
    loop {
        match input.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A client whose stream fails has left.
            Ok(0) | Err(_) => return,
            Ok(read) => {
                let sent = requests.write_all(buffer.get(..read).unwrap_or_default());
                if handle.block_on(sent).is_err() {
                    return;
                }
            }
        }
    }
}

fn copy_out(handle: &Handle, mut replies: DuplexStream, mut output: impl Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = handle.block_on(replies.read(&mut buffer))?;
        if read == 0 {
            return Ok(());
        }
        output.write_all(buffer.get(..read).unwrap_or_default())?;
        output.flush()?;
    }
}
