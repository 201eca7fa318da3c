//! A service: runs the builds of its projects until it is stopped.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use synix_core::clock::Clock;
use synix_prices::Amount;
use synix_project::{Announcement, Options, ProjectError, Registration, StopTokens};
use synix_restate::{BuildService, Endpoint, EndpointError, EndpointSettings, Progress};

use crate::ServiceError;
use crate::event::ServiceEvent;
use crate::names::check_name;
use crate::running::RunningTurns;

/// A project that a service builds.
#[derive(Debug, Clone)]
pub struct ServedProject {
    /// The name that jobs use. `None`: that of the pipeline.
    pub name: Option<String>,
    /// The pipeline file or its folder. `None`: the project at hand.
    pub path: Option<PathBuf>,
}

/// How a service is reached, and what it builds.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// What holds for all builds.
    pub options: Options,
    /// The projects; at least one.
    pub projects: Vec<ServedProject>,
    /// The address and the port.
    pub listen: SocketAddr,
    /// The URL of the admin API of the server that is told where this service is.
    pub register: Option<String>,
    /// The URL under which the server reaches the service. `None`: the address.
    pub advertise: Option<String>,
    /// How many builds run at the same time.
    pub jobs: NonZero<usize>,
    /// The public keys of the servers that may call. None: whoever reaches the address may.
    pub identity_keys: Vec<String>,
    /// The maximum cost of each build, whatever a job asks for.
    pub max_budget: Option<Amount>,
}

/// A service that runs.
pub(crate) struct Service {
    pub(crate) projects: BTreeMap<String, Options>,
    pub(crate) running: RunningTurns,
    pub(crate) tokens: StopTokens,
    pub(crate) max_budget: Option<Amount>,
    pub(crate) clock: Clock,
    events: UnboundedSender<ServiceEvent>,
}

impl Service {
    pub(crate) fn tell(&self, event: ServiceEvent) {
        // Nobody listens once the service ends.
        let _ = self.events.send(event);
    }
}

impl BuildService for Service {
    fn accept(&self, key: &str, job: &str) -> Result<(), EndpointError> {
        self.check(key, job)
    }

    fn advance(&self, job: &str) -> Result<Progress, EndpointError> {
        self.turn(job)
    }

    fn answer(&self, question: &str) -> Result<String, EndpointError> {
        self.ask(question)
    }
}

/// Runs a service until it is told to stop, and the builds that run have stopped.
pub fn run_service(
    options: &ServiceOptions,
    tokens: &StopTokens,
    observer: &dyn Fn(&ServiceEvent),
) -> Result<(), ServiceError> {
    let announcement =
        Announcement::parse(options.register.as_deref(), options.advertise.as_deref())?;
    let projects = projects(options)?;
    let names: Vec<String> = projects.keys().cloned().collect();
    let (events, mut received) = unbounded_channel();
    let service = Arc::new(Service {
        projects,
        running: RunningTurns::default(),
        tokens: tokens.clone(),
        max_budget: options.max_budget,
        clock: options.options.environment.clock()?,
        events,
    });
    let settings = EndpointSettings {
        listen: options.listen,
        jobs: options.jobs,
        identity_keys: options.identity_keys.clone(),
    };
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ServiceError::Start { source };
    let runtime = synix_project::runtime()?;
    let served = runtime.block_on(async {
        let endpoint =
            Endpoint::of_service(&settings, service).map_err(|error| failed(error.into()))?;
        let address = endpoint.address();
        let url = announcement.url(address)?;
        observer(&ServiceEvent::Listening {
            address,
            projects: names,
            jobs: options.jobs,
        });
        let told = |registration: &Registration| {
            observer(&ServiceEvent::Registration(registration.clone()));
        };
        let reporting = async {
            while let Some(event) = received.recv().await {
                observer(&event);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = endpoint.serve(tokens.stop.clone()) => {}
            () = announcement.announce(&url, &told) => {}
            () = reporting => {}
            // The second signal: nobody waits for what is in flight.
            () = tokens.leave.cancelled() => {}
        }
        while let Ok(event) = received.try_recv() {
            observer(&event);
        }
        Ok(())
    });
    runtime.shutdown_background();
    served
}

/// Returns the options of each project by its name.
fn projects(options: &ServiceOptions) -> Result<BTreeMap<String, Options>, ServiceError> {
    let mut projects = BTreeMap::new();
    for served in &options.projects {
        let pipeline = served.path.clone();
        let pipeline = pipeline.or_else(|| options.options.pipeline.clone());
        let mut of_project = Options {
            pipeline,
            ..options.options.clone()
        };
        let file = synix_project::pipeline_file(&of_project)?;
        let name = match &served.name {
            Some(name) => name.clone(),
            None => synix_project::pipeline_name(&of_project)?,
        };
        check_name(&name)?;
        of_project.pipeline = Some(file);
        if projects.insert(name.clone(), of_project).is_some() {
            return Err(ServiceError::TwoProjects { name });
        }
    }
    if projects.is_empty() {
        return Err(ProjectError::Usage("a service needs a project".to_owned()).into());
    }
    Ok(projects)
}
