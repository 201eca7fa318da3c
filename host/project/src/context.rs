//! Finds a project, and collects its settings from options and environment before its pipeline is read.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::engine::EngineChoice;
use super::environment::Environment;
use super::interrupt::StopTokens;
use super::search::search_upwards;
use super::trial::{TrialOptions, TrialRecord};
use super::trust::Owners;
use super::{Project, ProjectError};
use synix_core::clock::Clock;
use synix_core::printable;
use synix_engine::build::DEFAULT_CONCURRENCY;
use synix_manifest::Overrides;
use synix_sandbox::Compiler;
use synix_store::{BuildRow, Store};

/// How a build uses a cassette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CassetteMode {
    /// It does not use one.
    Off,
    /// It writes every answer that it used to the cassette.
    Record,
    /// It takes every answer from the cassette.
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
                "unknown cassette mode {text:?}; use off, record or replay"
            )),
        }
    }
}

/// The project of a command, and settings that override those of the environment.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The environment of the command. The paths below are relative to its folder.
    pub environment: Environment,
    /// The pipeline file or its folder. `None`: `synix.toml` in this folder or in its nearest parent that has one.
    pub pipeline: Option<PathBuf>,
    /// Overrides `SYNIX_CASSETTE_MODE`.
    pub cassette_mode: Option<CassetteMode>,
    /// Overrides `SYNIX_CASSETTE_DIR`.
    pub cassette_dir: Option<PathBuf>,
    /// The number of sync calls at a time. `None`: 16.
    pub concurrency: Option<usize>,
    /// Overrides `SYNIX_ENGINE` and `[engine]`.
    pub engine: Option<EngineChoice>,
    /// Whether to refuse plugins that would change the lock file. `None`: if a CI service runs the command.
    pub locked: Option<bool>,
    /// Whether to use the network for plugins. If not, the lock file stays as it is.
    pub offline: bool,
    /// Whether to read source files although their size and time are unchanged.
    pub rehash: bool,
    /// Whether the user grants this command everything that the project asks for.
    pub trust: bool,
    /// What the command tries.
    pub trial: Option<TrialOptions>,
    /// The compiler of plugins. The default compiles nothing, so only plugins in the cache can be used.
    pub compiler: Compiler,
    /// What ends a build instead of Ctrl-C and SIGTERM.
    pub stop: Option<StopTokens>,
}

impl Options {
    /// Returns the pipeline file if the user named the file itself, and not its folder.
    pub(super) fn named_file(&self) -> Option<PathBuf> {
        let path = self.environment.resolve(self.pipeline.as_deref()?);
        Some(path).filter(|path| !path.is_dir())
    }
}

/// The location and settings of a project whose pipeline is not read yet.
pub(super) struct ProjectContext {
    pub(super) root: PathBuf,
    /// The pipeline file, relative to the root.
    pub(super) file: String,
    pub(super) environment: Environment,
    pub(super) cassette_mode: CassetteMode,
    pub(super) cassette_dir: PathBuf,
    pub(super) concurrency: NonZero<usize>,
    /// Where the user runs units. `None`: where the pipeline file says.
    pub(super) engine: Option<EngineChoice>,
    pub(super) locked: bool,
    /// Whether plugins come from the cache only.
    pub(super) offline: bool,
    /// Whether source files are read although their size and time are unchanged.
    pub(super) rehash: bool,
    pub(super) clock: Clock,
    pub(super) owners: Owners,
    /// Whether the user grants this command everything that the project asks for.
    pub(super) grants_all: bool,
    /// What the command changes in the pipeline file.
    pub(super) overrides: Overrides,
    /// The command that asks the user for permission.
    pub(super) trust_command: String,
    pub(super) compiler: Compiler,
    /// What ends a build instead of signals.
    pub(super) stop: Option<StopTokens>,
}

impl ProjectContext {
    pub(super) fn find(options: &Options) -> Result<Self, ProjectError> {
        let path = match &options.pipeline {
            Some(path) => {
                let path = options.environment.resolve(path);
                if path.is_dir() {
                    path.join("synix.toml")
                } else {
                    path
                }
            }
            None => find_pipeline_file(&options.environment)?,
        };
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let (Some(file), true) = (name, path.is_file()) else {
            return Err(ProjectError::unusable_pipeline_file(path));
        };
        Self::open(parent_folder(&path).to_owned(), file, options)
    }

    /// Finds the project of a command that reads the state first: its pipeline file may have any name (L2).
    pub(super) fn with_state(options: &Options) -> Result<Self, ProjectError> {
        let error = match Self::find(options) {
            Ok(context) => return Ok(context),
            Err(error) => error,
        };
        let Some(path) = error.pipeline_path() else {
            return Err(error);
        };
        if options.pipeline.is_none() {
            return match find_upwards(&options.environment, ".synix")?.0 {
                Some(root) => Self::open(root, "synix.toml".to_owned(), options),
                None => Err(error),
            };
        }
        // The named file may have been deleted while its state still exists.
        let root = parent_folder(path).to_owned();
        match path.file_name() {
            Some(file) if root.join(".synix").is_dir() => {
                let file = file.to_string_lossy().into_owned();
                Self::open(root, file, options)
            }
            _ => Err(error),
        }
    }

    fn open(root: PathBuf, file: String, options: &Options) -> Result<Self, ProjectError> {
        let environment = options.environment.clone();
        synix_core::crash::arm(environment.crash_point());
        let cassette_mode = match options.cassette_mode {
            Some(mode) => mode,
            None => environment
                .get("SYNIX_CASSETTE_MODE")
                .unwrap_or_default()
                .parse()
                .map_err(ProjectError::Usage)?,
        };
        let cassette_dir = match (&options.cassette_dir, environment.get("SYNIX_CASSETTE_DIR")) {
            (Some(folder), _) => environment.resolve(folder),
            (None, Some(folder)) if !folder.is_empty() => environment.resolve(Path::new(&folder)),
            _ => root.join("cassettes"),
        };
        let concurrency = match options.concurrency {
            Some(count) => NonZero::new(count).ok_or_else(|| {
                ProjectError::Usage("--concurrency must be at least 1".to_owned())
            })?,
            None => DEFAULT_CONCURRENCY,
        };
        let engine = EngineChoice::of(options)?;
        let clock = environment.clock()?;
        let locked = options.locked.unwrap_or_else(|| environment.is_ci());
        let trust_command = match &options.pipeline {
            Some(path) => {
                let path = printable::shell_quote(&path.display().to_string());
                format!("synix trust {path}")
            }
            None => "synix trust".to_owned(),
        };
        Ok(Self {
            root,
            file,
            owners: Owners::of_this_process(environment.sudo_user()),
            environment,
            grants_all: options.trust,
            overrides: options
                .trial
                .as_ref()
                .map(|trial| trial.overrides.clone())
                .unwrap_or_default(),
            trust_command,
            cassette_mode,
            cassette_dir,
            concurrency,
            engine,
            locked,
            offline: options.offline,
            rehash: options.rehash,
            clock,
            compiler: options.compiler.clone(),
            stop: options.stop.clone(),
        })
    }

    pub(super) fn state(&self) -> PathBuf {
        // Without `./`, so that messages name `.synix` only.
        if self.root == Path::new(".") {
            PathBuf::from(".synix")
        } else {
            self.root.join(".synix")
        }
    }

    /// Opens the state for writing.
    pub(super) fn store(&self) -> Result<Store, ProjectError> {
        self.check_file_system()?;
        self.claim_state();
        Ok(Store::open(&self.state())?)
    }

    /// Refuses a file system on which the state would not be safe, unless the user allows it.
    pub(super) fn check_file_system(&self) -> Result<(), ProjectError> {
        if self.environment.get("SYNIX_ALLOW_NETWORK_FS").as_deref() == Some("1") {
            return Ok(());
        }
        Ok(synix_store::refuse_network_file_system(&self.state())?)
    }

    /// Opens the project with the pipeline of a build, or with another one that the user names.
    pub(super) fn project_of(
        &self,
        build: &BuildRow,
        options: &Options,
    ) -> Result<Project, ProjectError> {
        let pipeline = options
            .named_file()
            .unwrap_or_else(|| self.root.join(&build.pipeline));
        Project::open(&Options {
            pipeline: Some(pipeline),
            trial: TrialRecord::of(build)?.map(TrialRecord::options),
            ..options.clone()
        })
    }
}

/// Returns the folder of a file.
pub(super) fn parent_folder(path: &Path) -> &Path {
    path.parent()
        .filter(|root| !root.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn find_pipeline_file(environment: &Environment) -> Result<PathBuf, ProjectError> {
    // Without `./`, so that messages name the file only.
    let file = environment.resolve(Path::new("synix.toml"));
    if file.is_file() {
        return Ok(file);
    }
    match find_upwards(environment, "synix.toml")? {
        (Some(folder), _) => Ok(folder.join("synix.toml")),
        (None, search_end) => Err(ProjectError::NoPipeline {
            path: file,
            search_end,
        }),
    }
}

/// Returns this folder or its nearest parent that contains `name`, or where and why the search stopped.
fn find_upwards(
    environment: &Environment,
    name: &str,
) -> Result<(Option<PathBuf>, Option<String>), ProjectError> {
    let folder = environment.current_folder()?;
    let search = search_upwards(&folder, environment.home().as_deref(), name);
    let end = search
        .end
        .map(|end| format!("{}: {}", search.last.display(), end.description()));
    Ok((search.found, end))
}
