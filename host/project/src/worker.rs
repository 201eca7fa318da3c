//! A worker: runs units of builds on other machines. It has no project and reads no key of a provider.

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::ProjectError;
use super::engine::{CONTENT_VARIABLE, open_contents};
use super::environment::Environment;
use super::execute::runtime;
use super::machine_limits::maxima;
use super::registration::{Announcement, Registration};
use synix_manifest::check_shared_url;
use synix_restate::{Endpoint, EndpointError, EndpointSettings};
use synix_sandbox::Compiler;
use synix_worker::{Worker, WorkerSettings};

/// How a worker is reached, and what it uses.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The environment of the command.
    pub environment: Environment,
    /// The compiler of plugins.
    pub compiler: Compiler,
    /// The address and the port.
    pub listen: SocketAddr,
    /// The URL of the store of contents. `None`: that of the environment.
    pub content: Option<String>,
    /// The URL of the admin API of the server that is told where this worker is.
    pub register: Option<String>,
    /// The URL under which the server reaches the worker. `None`: the address.
    pub advertise: Option<String>,
    /// How many chunks run at the same time. `None`: as many as there are cores.
    pub jobs: Option<NonZero<usize>>,
    /// The public keys of the servers that may call. None: whoever reaches the address may.
    pub identity_keys: Vec<String>,
}

/// What a worker reports.
#[derive(Debug)]
pub enum WorkerEvent<'a> {
    /// It can be called.
    Listening {
        /// The address with the port that the system chose.
        address: SocketAddr,
        /// The URL of the store of contents, without a credential.
        content: &'a str,
        /// How many chunks run at the same time.
        jobs: NonZero<usize>,
    },
    /// The server was told where the worker is.
    Registration(&'a Registration),
}

/// Runs a worker until `stop`.
pub fn run_worker(
    options: &WorkerOptions,
    stop: &CancellationToken,
    observer: &dyn Fn(&WorkerEvent<'_>),
) -> Result<(), ProjectError> {
    let announcement =
        Announcement::parse(options.register.as_deref(), options.advertise.as_deref())?;
    let content = content_url(options)?;
    let (contents, content) = open_contents(&content, &options.environment)?;
    let jobs = options
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN));
    let runtime = runtime()?;
    let folder = options.environment.current_folder()?;
    let worker = Worker::new(WorkerSettings {
        jobs,
        cache: options.environment.compile_cache(&folder),
        compiler: options.compiler.clone(),
        maxima: maxima(&options.environment)?,
        contents,
        runtime: runtime.handle().clone(),
    });
    let worker = worker.map_err(failed)?;
    let guests = worker.interrupt_handle();
    let settings = EndpointSettings {
        listen: options.listen,
        jobs,
        identity_keys: options.identity_keys.clone(),
    };
    let served = runtime.block_on(async {
        let endpoint = Endpoint::of_worker(&settings, handler(worker)).map_err(failed)?;
        let address = endpoint.address();
        let url = announcement.url(address)?;
        observer(&WorkerEvent::Listening {
            address,
            content: &content,
            jobs,
        });
        let told = |registration: &Registration| {
            observer(&WorkerEvent::Registration(registration));
        };
        let serving = async {
            tokio::select! {
                () = endpoint.serve(stop.clone()) => {}
                () = announcement.announce(&url, &told) => {}
            }
        };
        let stopping = async {
            stop.cancelled().await;
            // Another worker runs these chunks again.
            guests.stop();
        };
        tokio::join!(serving, stopping);
        Ok(())
    });
    // What still runs is of no use to anybody.
    runtime.shutdown_background();
    served
}

fn handler(worker: Worker) -> synix_restate::ChunkHandler {
    Arc::new(move |chunk: &[u8]| {
        worker.run_chunk(chunk).map_err(|error| {
            if error.is_transient() {
                EndpointError::Transient(error.into())
            } else {
                EndpointError::Refused(error.into())
            }
        })
    })
}

fn content_url(options: &WorkerOptions) -> Result<String, ProjectError> {
    let environment = &options.environment;
    let url = options.content.clone();
    let url = url.or_else(|| environment.engine_content());
    let Some(url) = url.or_else(|| environment.shared_url()) else {
        return Err(ProjectError::Usage(format!(
            "a worker needs the store of contents of its builds; pass --content URL, or set {CONTENT_VARIABLE}"
        )));
    };
    match check_shared_url(&url) {
        Ok(()) => Ok(url),
        Err(rule) => Err(ProjectError::Usage(format!(
            "the URL of the store of contents must {rule}"
        ))),
    }
}

fn failed(error: impl Error + Send + Sync + 'static) -> ProjectError {
    ProjectError::Worker {
        source: error.into(),
    }
}
