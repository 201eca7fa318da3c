//! Serves a site over HTTP on this machine, and never lets one client keep others out.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;

use crate::guard::Guard;
use crate::site::Site;
use crate::token::Token;

mod answer;

/// The port that is used unless it is taken.
pub const DEFAULT_PORT: u16 = 7964;

/// The number of pages that are made at a time.
const MAX_PAGES: usize = 4;
/// The number of open connections. Another one closes the oldest.
const MAX_CONNECTIONS: usize = 64;
/// How long a client may take to send the head of a request, and for all of it with the reply.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(300);
/// The largest head of a request, in bytes. Names of artifacts are in it.
const MAX_HEAD: usize = 64 * 1024;
/// The pause after the system refused a connection, as it does if there are too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another program has the port.
    #[error("port {} of {} is in use", .0.port(), .0.ip())]
    PortInUse(SocketAddr),
    /// The system refuses the address or the port.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address with the port.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system refuses a thread, a timer or random numbers.
    #[error("cannot start the server")]
    System(#[source] io::Error),
}

impl ServeError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PortInUse(_) => Some("pass another --port, or 0 for any that is free"),
            Self::Listen { .. } => {
                Some("pass an --address of this machine, and a --port from 1024")
            }
            Self::System(_) => None,
        }
    }
}

/// Ends a server from another thread.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Notify>);

impl Stop {
    /// Ends the server, or one that has not started yet.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// A server that listens, but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: std::net::TcpListener,
    guard: Guard,
}

/// What all connections share.
struct Shared {
    site: Site,
    guard: Guard,
    pages: Semaphore,
}

impl Server {
    /// Listens at an address. Without a port, it is [`DEFAULT_PORT`], or any if that is taken.
    ///
    /// Every address that another machine can reach needs a token.
    pub fn bind(address: IpAddr, port: Option<u16>) -> Result<Self, ServeError> {
        let wanted = SocketAddr::new(address, port.unwrap_or(DEFAULT_PORT));
        let listener = match listen(wanted) {
            Err(ServeError::PortInUse(_)) if port.is_none() => listen(SocketAddr::new(address, 0))?,
            other => other?,
        };
        let token = if address.is_loopback() {
            None
        } else {
            let token = Token::new().map_err(io::Error::other);
            Some(token.map_err(ServeError::System)?)
        };
        let address = listener.local_addr().map_err(ServeError::System)?;
        Ok(Self {
            listener,
            guard: Guard { address, token },
        })
    }

    /// Returns the address of the first page, with the token if there is one.
    pub fn url(&self) -> String {
        let address = self.guard.address;
        match &self.guard.token {
            Some(token) => format!("http://{address}/?token={}", token.text()),
            None => format!("http://{address}/"),
        }
    }

    /// Returns whether other machines can reach the server.
    pub fn is_public(&self) -> bool {
        self.guard.token.is_some()
    }

    /// Answers until `stop` ends it.
    pub fn run(self, site: Site, stop: &Stop) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServeError::System)?;
        let shared = Arc::new(Shared {
            site,
            guard: self.guard,
            pages: Semaphore::new(MAX_PAGES),
        });
        let listening = async {
            self.listener.set_nonblocking(true)?;
            TcpListener::from_std(self.listener)
        };
        let served = runtime.block_on(async {
            let listener = listening.await.map_err(ServeError::System)?;
            tokio::select! {
                () = accept(&listener, &shared) => {}
                () = stop.0.notified() => {}
            }
            Ok(())
        });
        // A page that is being made changes nothing, so nobody waits for it.
        runtime.shutdown_background();
        served
    }
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, ServeError> {
    std::net::TcpListener::bind(address).map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            ServeError::PortInUse(address)
        } else {
            ServeError::Listen { address, source }
        }
    })
}

async fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        open.retain(|connection| !connection.is_finished());
        while open.len() >= MAX_CONNECTIONS {
            if let Some(oldest) = open.pop_front() {
                oldest.abort();
            }
        }
        let shared = Arc::clone(shared);
        open.push_back(tokio::spawn(connection(stream, shared)).abort_handle());
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            Ok::<hyper::Response<Full<Bytes>>, Infallible>(answer::answer(request, shared).await)
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        // An idle connection would count among those that are open.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A client that fails or is too slow has no page.
    let _ = tokio::time::timeout(TIMEOUT, serving).await;
}
