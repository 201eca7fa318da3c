//! The running server: its thread, its port, and the interface for tests.

mod body;
mod control;
mod exchange;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use crate::ledger::Ledger;
use crate::script::Script;
use crate::state::State;

/// A server on 127.0.0.1 that runs until it is dropped.
#[derive(Debug)]
pub struct ScriptedProvider {
    state: Arc<State>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ScriptedProvider {
    /// Starts a server on a free port.
    ///
    /// # Panics
    /// Panics where this machine gives it no port or thread.
    #[must_use]
    pub fn start(script: Script) -> Self {
        Self::start_on(0, script).expect("127.0.0.1 has a free port")
    }

    /// Starts a server on `port`, or on a free one if it is 0.
    ///
    /// # Errors
    /// Fails where this machine gives it no port or thread.
    pub fn start_on(port: u16, script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(format!("http://{address}"), script));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("scripted-provider".to_owned())
            .spawn({
                let state = Arc::clone(&state);
                move || {
                    runtime.block_on(async {
                        tokio::select! {
                            () = accept(listener, state) => {}
                            _ = stopped => {}
                        }
                    });
                    runtime.shutdown_background();
                }
            })?;
        Ok(Self {
            state,
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns the address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL for OpenAI clients.
    #[must_use]
    pub fn openai_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Returns the base URL for Anthropic clients.
    #[must_use]
    pub fn anthropic_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts another script in force; files and batches stay, batches with the pace they were made with. Replies that the
    /// former script holds are sent.
    pub fn script(&self, script: Script) {
        self.state.follow(script);
    }

    /// Returns the ledger as of now.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.state.ledger()
    }

    /// Lets every live batch end at its next poll.
    pub fn finish_batches(&self) {
        self.state.finish_batches();
    }

    /// Lets the live batch `id` end at its next poll.
    pub fn finish_batch(&self, id: &str) {
        self.state.finish_batch(id);
    }
}

impl Drop for ScriptedProvider {
    fn drop(&mut self) {
        // The thread may be gone already; then there is nothing left to stop.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        // A client that disconnects before it is accepted must not affect others.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| exchange::answer(Arc::clone(&state), request));
            // A connection ends in an error whenever it is hung up on purpose.
            let _ = http1::Builder::new()
                .header_read_timeout(None)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
