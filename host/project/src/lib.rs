//! A project on disk: finds it, checks its permissions, and runs the commands on it.
//!
//! This crate reads the environment of the process, once, into an [`Environment`]. It finds the project folder, the
//! settings, the credentials and the plugins. It refuses whatever the user has not allowed. Then it runs builds and
//! reads their results with the engine. Arguments and output belong to the command-line interface.
//!
//! ```
//! use synix_project::{Environment, Options, ProjectError, overview};
//!
//! let folder = tempfile::tempdir()?;
//! let options = Options {
//!     environment: Environment::new([("HOME", folder.path())], folder.path().to_owned()),
//!     ..Options::default()
//! };
//! let error = overview(&options).expect_err("the folder is empty");
//! assert!(matches!(error, ProjectError::NoPipeline { .. }));
//! assert!(error.hint().is_some_and(|hint| hint.contains("synix init")));
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod build_cassette;
mod build_lock;
mod caches;
mod cancel;
mod checkout;
mod cleanup;
mod confined;
mod context;
mod dot_env;
mod engine;
mod environment;
mod error;
mod execute;
mod interrupt;
mod keys;
mod machine_limits;
mod on_done;
mod overview;
mod pipeline_plugins;
mod plugin_tools;
mod plugins;
mod provider_access;
mod query;
mod reading;
#[cfg(feature = "restate")]
mod registration;
mod reset;
mod resume;
mod search;
mod server;
mod shared;
mod spending;
#[cfg_attr(not(feature = "telemetry"), path = "no_telemetry.rs")]
mod telemetry;
mod trial;
mod trust;
mod update;
mod watch;
#[cfg(feature = "restate")]
mod worker;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use synix_core::request::FailureKind;
use synix_engine::batch::LostCreatePolicy;
use synix_engine::build::{self, Observer, PrepareContext, ReadyPipeline, Trial, WaitPolicy};
use synix_engine::plan::Plan;
use synix_engine::view::Status;
use synix_fetch::{LockFile, LockFileChange};
use synix_manifest::Pipeline;
use synix_prices::{Amount, Price, Prices};
use synix_sandbox::{InterruptHandle, Sandbox};
use synix_sources::ProjectFolder;
use synix_store::{BuildId, BuildKind, Reader, StoreError};

pub use caches::replay_environment;
pub use cancel::cancel;
pub use cleanup::{CleanReport, GcOptions, clean, gc};
pub use context::{CassetteMode, Options};
pub use engine::{EngineChoice, engine_url};
pub use environment::Environment;
pub use error::ProjectError;
pub use interrupt::{StopTokens, on_interrupt, on_interrupts};
pub use overview::{overview, planned_overview};
pub use pipeline_plugins::{GrantingLayer, PipelinePlugin, pipeline_plugins};
pub use plugin_tools::PluginToolchain;
pub use reading::{
    CurrentPipeline, build_log, component_names, costs, current_pipeline, layer_inputs,
    open_reader, outputs, prices, status,
};
#[cfg(feature = "restate")]
pub use registration::{Announcement, Registration, endpoint_url};
pub use resume::resume;
pub use shared::{SharedReport, shared_gc, shared_status};
pub use synix_manifest::{Overrides, Setting};
pub use trial::{PromoteError, PromotedChange, Promotion, TrialOptions, promote, read_prompt};
pub use trust::{
    GrantedPermission, Permission, TrustError, TrustGrant, TrustRequest, revoke_trust, trust_grants,
};
pub use update::{FetchedPlugin, fetch_plugins, update_plugins};
pub use watch::{DaySpending, ProjectWake, ProjectWatch, WatchOptions, spent_today};
#[cfg(feature = "restate")]
pub use worker::{WorkerEvent, WorkerOptions, run_worker};

use context::{ProjectContext, parent_folder};
pub use execute::runtime;

/// Opens a sandbox for one call at a time. The project does not have to exist.
pub fn sandbox(options: &Options) -> Result<Sandbox, ProjectError> {
    let named = options.pipeline.as_deref();
    let root = options.environment.resolve(named.unwrap_or(Path::new(".")));
    let root = match &options.pipeline {
        Some(_) if !root.is_dir() => parent_folder(&root),
        Some(_) | None => &root,
    };
    let cache = options.environment.compile_cache(root);
    Ok(Sandbox::with_compiler(1, cache, options.compiler.clone()).map_err(Box::new)?)
}

/// Returns the name of the current pipeline. Its file must be valid.
pub fn pipeline_name(options: &Options) -> Result<String, ProjectError> {
    Ok(ProjectContext::find(options)?.pipeline()?.name)
}

/// Returns the path of the pipeline file of the current project, which must exist.
pub fn pipeline_file(options: &Options) -> Result<PathBuf, ProjectError> {
    let context = ProjectContext::find(options)?;
    let file = context.root.join(&context.file);
    let file = options.environment.resolve(&file);
    Ok(file.canonicalize().unwrap_or(file))
}

/// Returns the folder of the current project.
pub fn folder(options: &Options) -> Result<PathBuf, ProjectError> {
    Ok(ProjectContext::with_state(options)?.root)
}

/// The options of one run of a build.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How long to wait for requests in flight.
    pub wait_policy: WaitPolicy,
    /// Whether to build units without the inputs that failed.
    pub allow_partial: bool,
    /// Whether to continue a build although its pipeline has changed.
    pub allow_mismatch: bool,
    /// The time after which a batch is cancelled and the rest is sent as single requests.
    pub sync_after: Option<Duration>,
    /// What to do about a batch whose create reply was lost.
    pub lost_create: LostCreatePolicy,
    /// The maximum cost of the build. `None`: the budget of the pipeline file.
    pub budget: Option<Amount>,
    /// Whether to replace a damaged state by a new one.
    pub reset_state: bool,
    /// The kinds of failure whose requests are sent and paid for again.
    pub retry_failed: BTreeSet<FailureKind>,
    /// A limit to the cost that neither `budget` nor the pipeline file can raise.
    pub max_budget: Option<Amount>,
    /// The job of a service that runs the build. `None`: a command runs it.
    pub job: Option<Job>,
}

/// The job of a service, which takes a build as far as it goes in each of its turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id. The state remembers the build that the job has opened or resumed.
    pub id: String,
    /// Whether the job has not opened or resumed its build yet.
    pub begins: bool,
}

impl RunOptions {
    /// Returns the options without anything that a user has to ask for.
    pub const fn new(wait_policy: WaitPolicy) -> Self {
        Self {
            wait_policy,
            allow_partial: false,
            allow_mismatch: false,
            sync_after: None,
            lost_create: LostCreatePolicy::Ask,
            budget: None,
            reset_state: false,
            retry_failed: BTreeSet::new(),
            max_budget: None,
            job: None,
        }
    }
}

/// The result of one run of a build.
#[derive(Debug)]
pub struct BuildReport {
    /// The build.
    pub build: BuildId,
    /// The status of the build.
    pub status: Status,
    /// Whether the build still waits for answers.
    pub waiting: bool,
}

/// A project with a valid pipeline.
pub struct Project {
    context: ProjectContext,
    pipeline: Pipeline,
    ready: ReadyPipeline,
    prices: Prices,
    folder: ProjectFolder,
    /// Stops running guests.
    interruption: InterruptHandle,
    lock_changes: Vec<LockFileChange>,
    /// What the command tries; `None`: it builds the whole pipeline as it is.
    trial: Option<TrialOptions>,
    /// Set once the user is known to have granted all permissions.
    permitted: OnceLock<()>,
    /// A changed lock file that was not written yet. A build writes it first.
    unwritten_lock: Option<LockFile>,
}

impl Project {
    /// Reads and checks the pipeline file, loads its plugins, and reads the files that its configs name.
    pub fn open(options: &Options) -> Result<Self, ProjectError> {
        let context = ProjectContext::find(options)?;
        let pipeline = context.pipeline()?;
        machine_limits::check(&pipeline, &context.environment)?;
        let folder = context.folder()?;
        let plugins = context.plugins(&pipeline, &folder)?;
        let workers = std::thread::available_parallelism().map_or(2, NonZero::get);
        let cache = context.environment.compile_cache(&context.root);
        let compiler = context.compiler.clone();
        let sandbox = Sandbox::with_compiler(workers, cache, compiler).map_err(Box::new)?;
        let is_redirected = |name: &str| {
            pipeline
                .providers
                .get(name)
                .is_some_and(|profile| context.environment.base_url(profile).is_some())
        };
        let prepare = PrepareContext {
            folder: &folder,
            sandbox: &sandbox,
            transforms: synix_components::TRANSFORMS,
            keep_components: context.engine_settings(&pipeline)?.is_some(),
            readers: synix_components::READERS,
            components: &plugins.components,
            redirected: &is_redirected,
        };
        let ready =
            build::prepare(&pipeline, &context.file, &prepare).map_err(|error| match error {
                build::PrepareError::Pipeline(errors) => context.pipeline_error(errors),
                other @ (build::PrepareError::File { .. }
                | build::PrepareError::Files(_)
                | build::PrepareError::Plugin { .. }) => ProjectError::Prepare(Box::new(other)),
            })?;
        if let Some(trial) = &options.trial {
            // Before anything is written.
            trial.check(&ready)?;
        }
        let mut unwritten = None;
        if options.offline {
            unwritten = (!plugins.changes.is_empty()).then_some(plugins.lock);
        } else if !plugins.changes.is_empty() {
            match context.write_lock(&plugins.lock) {
                // A read-only project can still be planned.
                Err(ProjectError::Disk(error)) if error.is_denied() => {
                    unwritten = Some(plugins.lock);
                }
                result => result?,
            }
        }
        Ok(Self {
            context,
            trial: options.trial.clone(),
            prices: pipeline_prices(&pipeline),
            pipeline,
            ready,
            folder,
            interruption: sandbox.interrupt_handle(),
            lock_changes: plugins.changes,
            permitted: OnceLock::new(),
            unwritten_lock: unwritten,
        })
    }

    /// Returns the maximum cost of a build according to the pipeline file.
    pub fn budget(&self) -> Option<Amount> {
        self.pipeline.budget_usd.and_then(Amount::from_usd)
    }

    /// Returns the changes to the lock file that opening the project made.
    pub fn lock_changes(&self) -> &[LockFileChange] {
        &self.lock_changes
    }

    /// Plans a build, or a trial. Sends no request and does not change the state.
    pub fn plan(&self, kind: BuildKind) -> Result<Plan, ProjectError> {
        // Nothing in a plan depends on the name.
        let trial = self.trial.as_ref().map(|trial| trial.named(String::new()));
        self.plan_part(kind, trial.as_ref())
    }

    /// Plans a build of the whole pipeline with the settings of the trial.
    pub fn plan_whole(&self, kind: BuildKind) -> Result<Plan, ProjectError> {
        self.plan_part(kind, None)
    }

    fn plan_part(&self, kind: BuildKind, trial: Option<&Trial>) -> Result<Plan, ProjectError> {
        let state = self.context.state();
        let reader = match Reader::open(&state) {
            Ok(reader) => Some(reader),
            Err(StoreError::Absent { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let cassette = self.replay()?;
        let context = self.build_context(cassette.as_ref(), trial);
        let plan = build::plan(context, kind, reader.as_ref());
        Ok(runtime()?.block_on(plan)?)
    }

    /// Builds everything that is stale, with single requests.
    pub fn build(
        &self,
        run: &RunOptions,
        observer: Observer<'_>,
    ) -> Result<BuildReport, ProjectError> {
        self.start(BuildKind::Build, run, observer)
    }

    /// Builds everything that is stale, with batches.
    pub fn run_batch(
        &self,
        run: &RunOptions,
        observer: Observer<'_>,
    ) -> Result<BuildReport, ProjectError> {
        self.start(BuildKind::Batch, run, observer)
    }
}

/// Returns the prices that apply to a pipeline: its own, and those of the price table.
fn pipeline_prices(pipeline: &Pipeline) -> Prices {
    let own = pipeline.prices.iter().map(|(model, entry)| {
        let price = Price {
            input: entry.input,
            cached_input: entry.cached_input,
            cache_write: entry.cache_write,
            output: entry.output,
            batch: entry.batch,
            long: None,
        };
        (model.clone(), price)
    });
    Prices::new(own.collect())
}
