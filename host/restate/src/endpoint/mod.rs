//! The endpoint of a worker or a service: an HTTP/2 server that Restate hands chunks or builds to.

mod builds;
mod identity;
mod requests;
mod units;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use restate_sdk::endpoint::Builder;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::MAX_MESSAGE;
pub(crate) use builds::UNKNOWN;
pub use builds::{BuildService, Progress};
use requests::Requests;

/// The status of a reply to a call that no endpoint can answer.
pub(crate) const REFUSED: u16 = 422;

/// Runs a chunk and returns its outcome. It blocks.
pub type ChunkHandler = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>, EndpointError> + Send + Sync>;

/// Why a call has no result. Restate stores the text and shows it to the caller.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Another endpoint, or this one later, can answer the call.
    #[error(transparent)]
    Transient(Box<dyn Error + Send + Sync>),
    /// No endpoint can answer the call.
    #[error(transparent)]
    Refused(Box<dyn Error + Send + Sync>),
}

/// How an endpoint is reached.
#[derive(Debug, Clone)]
pub struct EndpointSettings {
    /// The address and the port. Several workers on one machine may have the same.
    pub listen: SocketAddr,
    /// How many chunks or builds run at the same time.
    pub jobs: NonZero<usize>,
    /// The public keys of the servers that may call, as Restate prints them. None: whoever reaches the address may.
    pub identity_keys: Vec<String>,
}

/// There is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The system refuses the address.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address with the port.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// It is no public key of Restate.
    #[error("{key:?} is no identity key; Restate prints one that begins with publickeyv1_")]
    IdentityKey {
        /// The text.
        key: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A worker or a service that listens.
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
    requests: Requests,
    /// The calls that one connection may carry at a time.
    streams: u32,
    /// How long calls may go on after the end was asked for. `None`: until they have ended.
    grace: Option<Duration>,
}

/// What distinguishes the two kinds of endpoints.
struct Shape {
    /// The calls that are read at a time.
    calls: usize,
    /// The turns of jobs that are read at a time.
    turns: usize,
    /// The largest call in bytes.
    max_body: usize,
    grace: Option<Duration>,
    /// Whether several endpoints may listen at the port.
    shares_port: bool,
}

/// The calls of a service that are read at a time, beside the turns of jobs.
const SERVICE_CALLS: usize = 256;
/// The largest call of a service: a job or a question.
const MAX_SERVICE_BODY: usize = 1 << 20;
/// The largest call of a worker: one message of the server, and those around it.
const MAX_WORKER_BODY: usize = MAX_MESSAGE + (1 << 20);

/// The number of open connections. Restate opens a few; further ones are closed.
const MAX_CONNECTIONS: usize = 256;
/// The connections that the system keeps until they are accepted.
const BACKLOG: u32 = 128;
/// The bytes of a call, and of all calls of a connection, that may be on their way. With the defaults of the library the
/// server waits after each 64 KiB of a chunk. Calls that wait unread hold as much memory.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// How often a silent connection is tested, and how long the other side may take to answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long chunks may run on after the worker was asked to end. Restate repeats the others on another worker.
const GRACE: Duration = Duration::from_secs(10);
/// The pause after the system refused a connection, as it does if there are too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Endpoint {
    /// Listens as a worker, and serves nobody yet. Must be called in a runtime.
    pub fn of_worker(
        settings: &EndpointSettings,
        handler: ChunkHandler,
    ) -> Result<Self, BindError> {
        let builder = Builder::new().bind(units::definition(handler, settings.jobs));
        // One is on its way while another one runs.
        let calls = settings.jobs.get().saturating_mul(2);
        let shape = Shape {
            calls: calls.min(Semaphore::MAX_PERMITS),
            // The library refuses each.
            turns: 1,
            max_body: MAX_WORKER_BODY,
            grace: Some(GRACE),
            // Other systems would hand all connections to one of them.
            shares_port: cfg!(target_os = "linux"),
        };
        Self::bind(settings, builder, &shape)
    }

    /// Listens as a service, and serves nobody yet. Must be called in a runtime.
    ///
    /// No other service can listen at the same port: builds belong to the machine that has their state.
    pub fn of_service(
        settings: &EndpointSettings,
        service: Arc<dyn BuildService>,
    ) -> Result<Self, BindError> {
        let (jobs, questions) = builds::definitions(service, settings.jobs);
        let shape = Shape {
            calls: SERVICE_CALLS,
            turns: settings.jobs.get().min(Semaphore::MAX_PERMITS),
            max_body: MAX_SERVICE_BODY,
            // A build that is interrupted waits for the answers that it has paid for.
            grace: None,
            shares_port: false,
        };
        Self::bind(settings, Builder::new().bind(jobs).bind(questions), &shape)
    }

    fn bind(
        settings: &EndpointSettings,
        mut builder: Builder,
        shape: &Shape,
    ) -> Result<Self, BindError> {
        for key in &settings.identity_keys {
            identity::install();
            builder = builder
                .identity_key(key)
                .map_err(|error| BindError::IdentityKey {
                    key: key.clone(),
                    source: error.into(),
                })?;
        }
        let refused = |source| BindError::Listen {
            address: settings.listen,
            source,
        };
        let listener = listen(settings.listen, shape.shares_port).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self {
            listener,
            address,
            requests: Requests::new(builder.build(), shape),
            // Restate opens another connection if this one is full. It may lead to another worker.
            streams: u32::try_from(shape.calls.saturating_add(shape.turns)).unwrap_or(u32::MAX),
            grace: shape.grace,
        })
    }

    /// Returns the address with the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, and then until what runs has ended: a worker for at most 10 seconds.
    pub async fn serve(self, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                tracing::warn!("closed a connection: there are {MAX_CONNECTIONS} open");
                continue;
            };
            let (requests, stop) = (self.requests.clone(), stop.clone());
            let streams = self.streams;
            connections.spawn(async move {
                let _slot = slot;
                serve_connection((stream, streams), requests, stop).await;
            });
        }
        drop(self.listener);
        connections.close();
        let Some(grace) = self.grace else {
            return connections.wait().await;
        };
        if tokio::time::timeout(grace, connections.wait())
            .await
            .is_err()
        {
            tracing::warn!("ended before the chunks that run; Restate repeats them");
        }
    }
}

/// Opens the port. If it may be shared, the system divides the connections among those who listen.
fn listen(address: SocketAddr, shares_port: bool) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    #[cfg(unix)]
    {
        socket.set_reuseaddr(true)?;
    }
    #[cfg(target_os = "linux")]
    {
        socket.set_reuseport(shares_port)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve_connection(
    (stream, streams): (TcpStream, u32),
    requests: Requests,
    stop: CancellationToken,
) {
    // A chunk is one message, and so is its outcome: to wait for more would only delay it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let reply = requests.clone().answer(request);
        async move { Ok::<_, std::convert::Infallible>(reply.await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
