//! Opens a project: paths, settings, credentials. The only reader of the environment.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod caches;
mod caps;
mod checkout;
mod confined;
mod context;
mod dot_env;
mod environment;
mod error;
mod execute;
mod gc;
mod interrupt;
mod keys;
mod lifecycle;
mod on_done;
mod overview;
mod plugin_tools;
mod plugins;
mod reset;
mod search;
mod server;
mod spending;
mod trust;
mod update;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use synix_core::request::FailureKind;
use synix_engine::batch::LostCreatePolicy;
use synix_engine::build::{self, Observer, PrepareContext, ReadyPipeline, WaitPolicy};
use synix_engine::plan::Plan;
use synix_engine::view::Status;
use synix_fetch::{LockFile, LockFileChange};
use synix_manifest::Pipeline;
use synix_prices::{Amount, Price, Prices};
use synix_sandbox::{InterruptHandle, Sandbox};
use synix_sources::ProjectFolder;
use synix_store::{BuildId, BuildKind, Reader, StoreError};

pub use caches::passed_on;
pub use context::{CassetteMode, Options};
pub use environment::Environment;
pub use error::ProjectError;
pub use gc::{GcOrder, gc};
pub use interrupt::at_interrupt;
pub use lifecycle::{
    CurrentPipeline, archive, cancel, clean, component_names, current_pipeline, prices, resume,
    status,
};
pub use overview::overview;
pub use plugin_tools::PluginTools;
pub use trust::{
    GrantedPermission, Permission, TrustError, TrustGrant, TrustQuestion, revoke_trust, trusted,
};
pub use update::{FetchedPlugin, fetch_plugins, update_plugins};

use context::{ProjectContext, folder_of};
use execute::runtime;

/// Opens a sandbox for one call at a time, outside any project.
pub fn sandbox(options: &Options) -> Result<Sandbox, ProjectError> {
    let named = options.pipeline.as_deref();
    let root = options.environment.at(named.unwrap_or(Path::new(".")));
    let root = match &options.pipeline {
        Some(_) if !root.is_dir() => folder_of(&root),
        Some(_) | None => &root,
    };
    let cache = options.environment.compile_cache(root);
    Ok(Sandbox::with_compiler(1, cache, options.compiler.clone()).map_err(Box::new)?)
}

/// Returns the folder of the project at hand.
pub fn folder(options: &Options) -> Result<PathBuf, ProjectError> {
    Ok(ProjectContext::with_state(options)?.root)
}

/// How a build is to be driven.
#[derive(Debug, Clone)]
pub struct BuildOrder {
    /// How long to wait for what is in flight.
    pub wait_policy: WaitPolicy,
    /// Build from what there is where inputs failed.
    pub allow_partial: bool,
    /// Go on with a build although the pipeline is another one now.
    pub allow_mismatch: bool,
    /// How long a batch may take before what it still holds goes by single calls.
    pub sync_after: Option<Duration>,
    /// The user's word on a batch whose create reply was lost.
    pub lost_create: LostCreatePolicy,
    /// What the build may cost at most; `None`: as the pipeline file says.
    pub budget: Option<Amount>,
    /// Start a new state where the present one is damaged.
    pub reset_state: bool,
    /// The kinds of failure that are asked again although they were paid for.
    pub retry_failed: BTreeSet<FailureKind>,
}

/// What came of driving a build.
#[derive(Debug)]
pub struct Report {
    /// The build.
    pub build: BuildId,
    /// Where it stands.
    pub status: Status,
    /// Whether something is still in flight.
    pub waiting: bool,
}

/// What [`clean`] removed.
#[derive(Debug, Default)]
pub struct CleanReport {
    /// What was removed, in words.
    pub removed: Vec<String>,
}

/// A project with a valid pipeline.
pub struct Project {
    context: ProjectContext,
    pipeline: Pipeline,
    ready: ReadyPipeline,
    prices: Prices,
    folder: ProjectFolder,
    /// Stops the guests of its plugins.
    interruption: InterruptHandle,
    lock_changes: Vec<LockFileChange>,
    /// Set once the user's yes to all that is asked is known.
    admitted: OnceLock<()>,
    /// The lock file that could not be written; a build needs it.
    unwritten_lock: Option<LockFile>,
}

impl Project {
    /// Reads and checks the pipeline file, loads its plugins and reads the files its configs name.
    pub fn open(options: &Options) -> Result<Self, ProjectError> {
        let context = ProjectContext::find(options)?;
        let pipeline = context.pipeline()?;
        caps::check(&pipeline, &context.environment)?;
        let folder = context.folder()?;
        let plugins = context.plugins(&pipeline, &folder)?;
        let workers = std::thread::available_parallelism().map_or(2, NonZero::get);
        let cache = context.environment.compile_cache(&context.root);
        let compiler = context.compiler.clone();
        let sandbox = Sandbox::with_compiler(workers, cache, compiler).map_err(Box::new)?;
        let redirected = |name: &str| {
            pipeline
                .providers
                .get(name)
                .is_some_and(|profile| context.environment.base_url(profile).is_some())
        };
        let prepare = PrepareContext {
            folder: &folder,
            sandbox: &sandbox,
            first_party: synix_transforms::FIRST_PARTY,
            components: &plugins.components,
            redirected: &redirected,
        };
        let ready =
            build::prepare(&pipeline, &context.file, &prepare).map_err(|error| match error {
                build::PrepareError::Pipeline(errors) => context.wrong(errors),
                other @ (build::PrepareError::File { .. }
                | build::PrepareError::Files(_)
                | build::PrepareError::Plugin { .. }) => ProjectError::Prepare(Box::new(other)),
            })?;
        let mut unwritten = None;
        if options.offline {
            unwritten = (!plugins.changes.is_empty()).then_some(plugins.lock);
        } else if !plugins.changes.is_empty() {
            match context.write_lock(&plugins.lock) {
                // A project that may only be read can still be planned.
                Err(ProjectError::Disk(error)) if error.is_denied() => {
                    unwritten = Some(plugins.lock);
                }
                written => written?,
            }
        }
        Ok(Self {
            context,
            prices: prices_of(&pipeline),
            pipeline,
            ready,
            folder,
            interruption: sandbox.interrupt_handle(),
            lock_changes: plugins.changes,
            admitted: OnceLock::new(),
            unwritten_lock: unwritten,
        })
    }

    /// Returns what changed in the lock file when the project was opened.
    pub fn lock_changes(&self) -> &[LockFileChange] {
        &self.lock_changes
    }

    /// Finds out what a build would do; sends no request and changes no state.
    pub fn plan(&self, kind: BuildKind) -> Result<Plan, ProjectError> {
        let state = self.context.state();
        let reader = match Reader::open(&state) {
            Ok(reader) => Some(reader),
            Err(StoreError::Absent { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let cassette = self.replay()?;
        let plan = build::plan(self.build_context(cassette.as_ref()), kind, reader.as_ref());
        Ok(runtime()?.block_on(plan)?)
    }

    /// Builds everything that is stale through the sync API.
    pub fn build(
        &self,
        order: &BuildOrder,
        observer: Observer<'_>,
    ) -> Result<Report, ProjectError> {
        self.start(BuildKind::Build, order, observer)
    }

    /// Opens a batch build and drives it.
    pub fn run_batch(
        &self,
        order: &BuildOrder,
        observer: Observer<'_>,
    ) -> Result<Report, ProjectError> {
        self.start(BuildKind::Batch, order, observer)
    }
}

/// Returns the prices in force for a pipeline.
fn prices_of(pipeline: &Pipeline) -> Prices {
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
