//! Opens a project: paths, settings, credentials. The only reader of the environment.

mod environment;
mod error;
mod first_party;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::{self, BatchEvent};
use crate::build::{
    self, BuildError, Desk, Drive, Event, Observer, Patience, Providers, ReadyPipeline, Workshop,
};
use crate::clock::Clock;
use crate::disk::{self, FileLock};
use crate::llm::{Cassette, Endpoint, HttpSettings, Provider};
use crate::pipeline::{self, Pipeline, ProviderProfile};
use crate::plan::Plan;
use crate::plugin::Sandbox;
use crate::source::ProjectFolder;
use crate::store::{BuildId, BuildKind, BuildRow, Reader, Realm, Store, StoreError};
use crate::view::Status;

use environment::Environment;
pub use error::ProjectError;

/// Sync calls at a time unless the user says otherwise.
const CONCURRENCY: NonZero<usize> = NonZero::new(16).expect("16 is not zero");

/// Whether answers are recorded or replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CassetteMode {
    /// Neither.
    Off,
    /// Every answer a build used is written to the cassette.
    Record,
    /// Every answer comes from the cassette.
    Replay,
}

impl FromStr for CassetteMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" | "off" => Ok(Self::Off),
            "record" => Ok(Self::Record),
            "replay" => Ok(Self::Replay),
            _ => Err(format!(
                "unknown cassette mode {text:?}: off, record or replay"
            )),
        }
    }
}

/// What a command says of the project it is about.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The pipeline file; `None`: `synix.toml` here or in the nearest folder above.
    pub pipeline: Option<PathBuf>,
    /// Takes the place of `SYNIX_CASSETTE_MODE`.
    pub cassette_mode: Option<CassetteMode>,
    /// Takes the place of `SYNIX_CASSETTE_DIR`.
    pub cassette_dir: Option<PathBuf>,
    /// Sync calls at a time; `None`: 16.
    pub concurrency: Option<usize>,
}

/// How a build is to be driven.
#[derive(Debug, Clone, Copy)]
pub struct BuildOrder {
    /// How long to wait for what is in flight.
    pub patience: Patience,
    /// Build from what there is where inputs failed.
    pub allow_partial: bool,
    /// Go on with a build although the pipeline is another one now.
    pub allow_mismatch: bool,
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
    /// Paths relative to the project.
    pub removed: Vec<String>,
}

/// A project with a valid pipeline.
pub struct Project {
    place: Place,
    pipeline: Pipeline,
    ready: ReadyPipeline,
    folder: ProjectFolder,
}

/// Where a project is and what the environment says, before its pipeline is read.
struct Place {
    root: PathBuf,
    /// The pipeline file, relative to the root.
    file: String,
    environment: Environment,
    cassette_mode: CassetteMode,
    cassette_dir: PathBuf,
    concurrency: NonZero<usize>,
    clock: Clock,
}

impl Place {
    fn find(options: &Options) -> Result<Self, ProjectError> {
        let path = match &options.pipeline {
            Some(path) if path.is_dir() => path.join("synix.toml"),
            Some(path) => path.clone(),
            None => nearest_pipeline()?,
        };
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let (Some(file), true) = (name, path.is_file()) else {
            return Err(ProjectError::NoPipeline { path });
        };
        let root = path
            .parent()
            .filter(|root| !root.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        Self::at(root.to_owned(), file, options)
    }

    /// Finds the project of a command that starts from the state: its pipeline file may have any name (L2).
    fn with_state(options: &Options) -> Result<Self, ProjectError> {
        match Self::find(options) {
            Err(ProjectError::NoPipeline { path }) if options.pipeline.is_none() => {
                match nearest(".synix")? {
                    Some(root) => Self::at(root, "synix.toml".to_owned(), options),
                    None => Err(ProjectError::NoPipeline { path }),
                }
            }
            found => found,
        }
    }

    fn at(root: PathBuf, file: String, options: &Options) -> Result<Self, ProjectError> {
        let environment = Environment::read(&root)?;
        let cassette_mode = match options.cassette_mode {
            Some(mode) => mode,
            None => environment
                .get("SYNIX_CASSETTE_MODE")
                .unwrap_or_default()
                .parse()
                .map_err(ProjectError::Usage)?,
        };
        let cassette_dir = match (&options.cassette_dir, environment.get("SYNIX_CASSETTE_DIR")) {
            (Some(folder), _) => folder.clone(),
            (None, Some(folder)) if !folder.is_empty() => PathBuf::from(folder),
            _ => root.join("cassettes"),
        };
        let concurrency = match options.concurrency {
            Some(count) => NonZero::new(count).ok_or_else(|| {
                ProjectError::Usage("--concurrency must be at least 1".to_owned())
            })?,
            None => CONCURRENCY,
        };
        let clock = environment.clock()?;
        Ok(Self {
            root,
            file,
            environment,
            cassette_mode,
            cassette_dir,
            concurrency,
            clock,
        })
    }

    fn state(&self) -> PathBuf {
        self.root.join(".synix")
    }

    /// Opens the project with the pipeline of a build, or with the one that the user names instead.
    fn project_of(&self, build: &BuildRow, options: &Options) -> Result<Project, ProjectError> {
        let pipeline = options
            .pipeline
            .clone()
            .unwrap_or_else(|| self.root.join(&build.pipeline));
        Project::open(&Options {
            pipeline: Some(pipeline),
            ..options.clone()
        })
    }
}

fn nearest_pipeline() -> Result<PathBuf, ProjectError> {
    // Within the folder itself messages name the file alone.
    let file = PathBuf::from("synix.toml");
    if file.is_file() {
        return Ok(file);
    }
    match nearest("synix.toml")? {
        Some(folder) => Ok(folder.join(file)),
        None => Err(ProjectError::NoPipeline { path: file }),
    }
}

/// Returns this folder or the nearest above that holds `name`.
fn nearest(name: &str) -> Result<Option<PathBuf>, ProjectError> {
    let here = std::env::current_dir().map_err(|source| ProjectError::Here { source })?;
    Ok(here
        .ancestors()
        .find(|folder| folder.join(name).exists())
        .map(Path::to_owned))
}

impl Project {
    /// Reads and checks the pipeline file, loads its plugins and reads the files its configs name.
    pub fn open(options: &Options) -> Result<Self, ProjectError> {
        let place = Place::find(options)?;
        let path = place.root.join(&place.file);
        let bytes = disk::read(&path)?;
        let shown = path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|error| ProjectError::NotText {
            path: path.clone(),
            offset: error.utf8_error().valid_up_to(),
        })?;
        let wrong = |errors| ProjectError::Pipeline {
            file: shown.clone(),
            errors,
        };
        let pipeline = pipeline::parse(&text).map_err(wrong)?;
        let folder = ProjectFolder::open(&place.root)
            .map_err(|source| ProjectError::Folder(Box::new(source)))?;
        let workers = std::thread::available_parallelism().map_or(2, NonZero::get);
        let sandbox = Sandbox::new(workers, place.environment.cache_folder()).map_err(Box::new)?;
        let redirected = |name: &str| {
            pipeline
                .providers
                .get(name)
                .is_some_and(|profile| place.environment.base_url(profile).is_some())
        };
        let workshop = Workshop {
            folder: &folder,
            sandbox: &sandbox,
            first_party: first_party::FIRST_PARTY,
            redirected: &redirected,
        };
        let ready =
            build::prepare(&pipeline, &place.file, &workshop).map_err(|error| match error {
                build::PrepareError::Pipeline(errors) => wrong(errors),
                other @ (build::PrepareError::File { .. } | build::PrepareError::Plugin { .. }) => {
                    ProjectError::Prepare(Box::new(other))
                }
            })?;
        Ok(Self {
            place,
            pipeline,
            ready,
            folder,
        })
    }

    /// Finds out what a build would do; writes and sends nothing.
    pub fn plan(&self, kind: BuildKind) -> Result<Plan, ProjectError> {
        let state = self.place.state();
        let reader = match Reader::open(&state) {
            Ok(reader) => Some(reader),
            Err(StoreError::Absent { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let cassette = self.replay()?;
        let plan = build::plan(self.desk(cassette.as_ref()), kind, reader.as_ref());
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

    fn start(
        &self,
        kind: BuildKind,
        order: &BuildOrder,
        observer: Observer<'_>,
    ) -> Result<Report, ProjectError> {
        let store = Store::open(&self.place.state())?;
        let cassette = self.replay()?;
        let row = BuildRow {
            id: BuildId(0),
            kind: kind.name().to_owned(),
            pipeline: self.place.file.clone(),
            fingerprint: self.ready.fingerprint,
            parts: serde_json::to_string(&self.ready.parts).unwrap_or_default(),
            realm: realm(cassette.as_ref()),
            opened: self.place.clock.now(),
            closed: None,
            cancelled: false,
            error: None,
        };
        let build = store.write(|| store.open_build(&row, kind))?;
        let lock = self.lock(&store, build)?;
        let report = self.drive(&store, build, kind, cassette.as_ref(), order, observer);
        drop(lock);
        report
    }

    fn lock(&self, store: &Store, build: BuildId) -> Result<FileLock, ProjectError> {
        let mut lock = take_lock(store, build)?;
        lock.sign(&format!(
            "process {} since {}",
            std::process::id(),
            self.place.clock.now()
        ))?;
        Ok(lock)
    }

    fn drive(
        &self,
        store: &Store,
        build: BuildId,
        kind: BuildKind,
        cassette: Option<&Arc<Cassette>>,
        order: &BuildOrder,
        observer: Observer<'_>,
    ) -> Result<Report, ProjectError> {
        let (providers, missing_keys) = if cassette.is_some() {
            Default::default()
        } else {
            self.providers()?
        };
        let look_again: Vec<(String, Vec<Duration>)> = self
            .pipeline
            .providers
            .iter()
            .map(|(name, profile)| (name.clone(), profile.look_again.clone()))
            .collect();
        let drive = Drive {
            providers: &providers,
            look_again: &look_again,
            missing_keys: &missing_keys,
            concurrency: self.place.concurrency,
            patience: order.patience,
            allow_partial: order.allow_partial,
            kind,
        };
        let outcome = runtime()?.block_on(async {
            tokio::select! {
                driven = build::drive(self.desk(cassette), drive, store, build, observer) => driven,
                _ = tokio::signal::ctrl_c() => Err(BuildError::Interrupted { build }),
            }
        });
        match outcome {
            Ok(_) => {}
            Err(error @ BuildError::Interrupted { .. }) => return Err(error.into()),
            Err(error) => {
                // The first error is the one to report.
                let _ = store.write(|| store.keep_build_error(build, Some(&error.to_string())));
                return Err(error.into());
            }
        }
        if self.place.cassette_mode == CassetteMode::Record {
            self.record(store)?;
        }
        report(store, build)
    }

    /// Writes every answer behind the snapshot to the cassette, also those an earlier build got.
    fn record(&self, store: &Store) -> Result<(), ProjectError> {
        let path = self.cassette_path();
        let mut cassette = if path.exists() {
            Cassette::load(&path)?
        } else {
            Cassette::default()
        };
        let Some(snapshot) = store.newest_snapshot_of(&self.place.file)? else {
            return Ok(());
        };
        for layer in snapshot.layers() {
            for unit in store.snapshot_units(&snapshot, layer)? {
                for entry in store.transcript(unit.id)? {
                    if let Some(answer) = entry.answer {
                        let (answer, _) = store.given_answer(answer)?;
                        cassette.insert(store.request(entry.request)?, answer)?;
                    }
                }
            }
        }
        Ok(cassette.save(&path)?)
    }

    fn cassette_path(&self) -> PathBuf {
        self.place
            .cassette_dir
            .join(format!("{}.json", self.pipeline.name))
    }

    fn replay(&self) -> Result<Option<Arc<Cassette>>, ProjectError> {
        if self.place.cassette_mode != CassetteMode::Replay {
            return Ok(None);
        }
        Ok(Some(Arc::new(Cassette::load(&self.cassette_path())?)))
    }

    fn desk<'a>(&'a self, replay: Option<&'a Arc<Cassette>>) -> Desk<'a> {
        Desk {
            pipeline: &self.ready,
            folder: &self.folder,
            replay,
            clock: &self.place.clock,
        }
    }

    /// Opens the providers that layers use; those without their credential are named apart.
    fn providers(&self) -> Result<(Providers, BTreeMap<String, String>), ProjectError> {
        let mut providers = Providers::new();
        let mut missing = BTreeMap::new();
        for (name, profile) in &self.pipeline.providers {
            let redirect = self.place.environment.base_url(profile);
            // A server that the file alone knows gets no key that was meant for another.
            let known =
                matches!(name.as_str(), "openai" | "anthropic") || profile.api_key_env.is_some();
            let key = if known {
                self.place.environment.secret(profile.key_variable())
            } else {
                None
            };
            let elsewhere = redirect.is_some() || !profile.writes_own_url();
            if key.is_none() && (!elsewhere || profile.api_key_env.is_some()) {
                missing.insert(name.clone(), profile.key_variable().to_owned());
                continue;
            }
            providers.insert(
                name.clone(),
                Arc::new(Provider::open(endpoint(profile, redirect, key))?),
            );
        }
        Ok((providers, missing))
    }
}

fn endpoint(
    profile: &ProviderProfile,
    redirect: Option<String>,
    key: Option<crate::llm::Secret>,
) -> Endpoint {
    Endpoint {
        name: profile.name.clone(),
        wire: profile.api,
        base_url: redirect.unwrap_or_else(|| profile.url().to_owned()),
        key,
        http: HttpSettings {
            retries: profile.retries,
            backoff: profile.backoff,
            timeout: profile.timeout,
        },
    }
}

fn realm(cassette: Option<&Arc<Cassette>>) -> Realm {
    cassette.map_or(Realm::Live, |cassette| Realm::Replay(cassette.digest()))
}

fn runtime() -> Result<tokio::runtime::Runtime, ProjectError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| ProjectError::Here { source })
}

fn report(store: &Store, build: BuildId) -> Result<Report, ProjectError> {
    let status = Status::of(store, build)?;
    let waiting = store
        .build(build)?
        .is_some_and(|build| build.closed.is_none());
    Ok(Report {
        build,
        status,
        waiting,
    })
}

/// Returns the build that a user names, or the newest batch build.
fn chosen(reader: &Reader, build: Option<BuildId>) -> Result<BuildRow, ProjectError> {
    let found = match build {
        Some(id) => reader.build(id)?,
        None => reader.builds(Some(BuildKind::Batch))?.into_iter().next(),
    };
    found.ok_or_else(|| {
        BuildError::UnknownBuild(build.map_or_else(|| "yet".to_owned(), |id| id.to_string())).into()
    })
}

/// Takes a batch build up again, with the pipeline it was opened with (L2).
pub fn resume(
    options: &Options,
    build: Option<BuildId>,
    order: &BuildOrder,
    observer: Observer<'_>,
) -> Result<Report, ProjectError> {
    let place = Place::with_state(options)?;
    let store = Store::open(&place.state())?;
    let row = chosen(&store, build)?;
    let status = Status::of(&store, row.id)?;
    if row.cancelled || status.status == "completed" {
        return Err(BuildError::Ended {
            build: row.id,
            status: if row.cancelled {
                "cancelled"
            } else {
                "completed"
            },
        }
        .into());
    }
    let project = place.project_of(&row, options)?;
    let cassette = project.replay()?;
    let words = |realm: Realm| {
        if realm == Realm::Live {
            "live"
        } else {
            "from a cassette"
        }
    };
    if (row.realm == Realm::Live) != cassette.is_none() {
        let now = words(realm(cassette.as_ref()));
        return Err(BuildError::OtherAnswers {
            build: row.id,
            opened: words(row.realm),
            now,
        }
        .into());
    }
    let lock = project.lock(&store, row.id)?;
    if row.fingerprint != project.ready.fingerprint {
        if !order.allow_mismatch {
            let before: BTreeMap<String, String> =
                serde_json::from_str(&row.parts).unwrap_or_default();
            return Err(BuildError::Mismatch {
                build: row.id,
                changes: differences(&before, &project.ready.parts),
            }
            .into());
        }
        let parts = serde_json::to_string(&project.ready.parts).unwrap_or_default();
        store.write(|| store.rebase_build(row.id, project.ready.fingerprint, &parts))?;
    }
    store.write(|| store.close_build(row.id, None))?;
    let kind = if row.kind == BuildKind::Build.name() {
        BuildKind::Build
    } else {
        BuildKind::Batch
    };
    let report = project.drive(&store, row.id, kind, cassette.as_ref(), order, observer);
    drop(lock);
    report
}

fn differences(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let none = "none".to_owned();
    let mut names: Vec<_> = before.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.get(*name) != now.get(*name))
        .map(|name| {
            format!(
                "{name}: {} -> {}",
                before.get(name).unwrap_or(&none),
                now.get(name).unwrap_or(&none)
            )
        })
        .collect()
}

/// Cancels a batch build: its live batches at the provider, and what has not left the machine yet.
pub fn cancel(
    options: &Options,
    build: Option<BuildId>,
    observer: Observer<'_>,
) -> Result<Report, ProjectError> {
    let place = Place::with_state(options)?;
    let store = Store::open(&place.state())?;
    let row = chosen(&store, build)?;
    let project = place.project_of(&row, options)?;
    let under_way = store
        .unsettled_submissions()?
        .iter()
        .any(|submission| submission.build == row.id);
    // A provider may have refused the first cancel, and its batch goes on and is billed.
    if row.closed.is_some() || (row.cancelled && !under_way) {
        let status = if row.cancelled {
            "cancelled"
        } else {
            "completed"
        };
        return Err(BuildError::Ended {
            build: row.id,
            status,
        }
        .into());
    }
    let lock = project.lock(&store, row.id)?;
    let (providers, missing) = project.providers()?;
    for submission in store.unsettled_submissions()? {
        if let (true, Some(variable)) = (
            submission.build == row.id,
            missing.get(&submission.provider),
        ) {
            return Err(BuildError::MissingKey {
                provider: submission.provider,
                variable: variable.clone(),
            }
            .into());
        }
    }
    let tell = |event: &BatchEvent| observer(&Event::Batch(event.clone()));
    let settings = batch::BatchSettings {
        look_again: project
            .pipeline
            .providers
            .iter()
            .map(|(name, profile)| (name.clone(), profile.look_again.clone()))
            .collect(),
        attempts: 1,
        layers: Vec::new(),
    };
    let mut batches = batch::Batches::new(
        &store,
        row.id,
        &providers,
        settings,
        &project.place.clock,
        &tell,
    );
    runtime()?
        .block_on(batches.cancel(row.id))
        .map_err(BuildError::from)?;
    store.write(|| store.cancel_build(row.id))?;
    drop(lock);
    report(&store, row.id)
}

/// Opens the state of a project for reading; its pipeline file need not be valid.
pub fn archive(options: &Options) -> Result<Reader, ProjectError> {
    Ok(Reader::open(&Place::with_state(options)?.state())?)
}

/// Takes the lock on driving a build, or says who holds it.
fn take_lock(store: &Store, build: BuildId) -> Result<FileLock, ProjectError> {
    if let Some(lock) = store.lock_build(build)? {
        return Ok(lock);
    }
    let holder = store.build_holder(build);
    let holder = if holder.is_empty() {
        holder
    } else {
        format!(" ({holder})")
    };
    Err(BuildError::Held { build, holder }.into())
}

/// Forgets what the pipeline makes now, so that everything is made again from the answers on record.
///
/// Answers, batches and builds stay: they stand for money.
pub fn clean(options: &Options) -> Result<CleanReport, ProjectError> {
    let place = Place::with_state(options)?;
    let store = Store::open(&place.state())?;
    // A build that is driven now would lose what it stands on.
    let mut locks = Vec::new();
    for row in store.builds(None)? {
        if row.closed.is_none() && !row.cancelled {
            locks.push(take_lock(&store, row.id)?);
        }
    }
    let units = store.write(|| store.forget_units())?;
    drop(locks);
    let removed = if units == 0 {
        Vec::new()
    } else {
        vec![format!("{units} units with their artifacts")]
    };
    Ok(CleanReport { removed })
}
