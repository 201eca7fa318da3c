//! A worker: runs units of builds on other machines. It has no project and reads no key of a provider.

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use url::Url;

use super::ProjectError;
use super::engine::{CONTENT_VARIABLE, open_contents};
use super::environment::Environment;
use super::execute::runtime;
use super::machine_limits::maxima;
use synix_core::causes::with_causes;
use synix_manifest::{check_engine_url, check_shared_url};
use synix_restate::{ChunkError, EndpointSettings, WorkerEndpoint};
use synix_sandbox::Compiler;
use synix_worker::{Worker, WorkerSettings};

/// The pauses before the server is told again where the worker is.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

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
    /// The server knows the worker.
    Registered {
        /// The URL of its admin API.
        server: &'a str,
        /// The URL under which it reaches the worker.
        endpoint: &'a str,
    },
    /// The server does not know the worker yet; it is told again.
    NotRegistered {
        /// Why.
        reason: String,
    },
}

/// Runs a worker until `stop`.
pub fn run_worker(
    options: &WorkerOptions,
    stop: &CancellationToken,
    observer: &dyn Fn(&WorkerEvent<'_>),
) -> Result<(), ProjectError> {
    let register = options.register.as_deref();
    let register = register
        .map(|url| parse_url("--register", url))
        .transpose()?;
    let advertise = options.advertise.as_deref();
    let advertise = advertise
        .map(|url| parse_url("--advertise", url))
        .transpose()?;
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
        let endpoint = WorkerEndpoint::bind(&settings, handler(worker)).map_err(failed)?;
        let address = endpoint.address();
        let endpoint_url = match advertise {
            Some(url) => url,
            None => parse_url("--listen", &format!("http://{address}"))?,
        };
        observer(&WorkerEvent::Listening {
            address,
            content: &content,
            jobs,
        });
        let registering = async {
            if let Some(server) = &register {
                tell(server, &endpoint_url, observer).await;
            }
            std::future::pending::<()>().await;
        };
        let serving = async {
            tokio::select! {
                () = endpoint.serve(stop.clone()) => {}
                () = registering => {}
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

/// Tells the server where the worker is, until it knows.
async fn tell(server: &Url, endpoint: &Url, observer: &dyn Fn(&WorkerEvent<'_>)) {
    let mut pause = FIRST_PAUSE;
    let mut reported = String::new();
    loop {
        match synix_restate::register(server, endpoint).await {
            Ok(()) => {
                observer(&WorkerEvent::Registered {
                    server: server.as_str(),
                    endpoint: endpoint.as_str(),
                });
                return;
            }
            Err(error) => {
                let reason = with_causes(&error);
                if reason != reported {
                    reported.clone_from(&reason);
                    observer(&WorkerEvent::NotRegistered { reason });
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn handler(worker: Worker) -> synix_restate::ChunkHandler {
    Arc::new(move |chunk: &[u8]| {
        worker.run_chunk(chunk).map_err(|error| {
            if error.is_transient() {
                ChunkError::Transient(error.into())
            } else {
                ChunkError::Refused(error.into())
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

fn parse_url(option: &str, url: &str) -> Result<Url, ProjectError> {
    if let Err(rule) = check_engine_url(url) {
        return Err(ProjectError::Usage(format!(
            "the URL of {option} must {rule}"
        )));
    }
    Url::parse(url)
        .map_err(|error| ProjectError::Usage(format!("the URL of {option} is invalid: {error}")))
}

fn failed(error: impl Error + Send + Sync + 'static) -> ProjectError {
    ProjectError::Worker {
        source: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_url_is_reported_with_its_option_and_the_reason() {
        let message = |url| parse_url("--register", url).unwrap_err().to_string();
        assert_eq!(
            message("ftp://server"),
            "the URL of --register must start with `http://` or `https://`"
        );
        assert_eq!(
            message("http://server:99999"),
            "the URL of --register is invalid: invalid port number"
        );
    }
}
