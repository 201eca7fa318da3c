//! Where a project is, and what its surroundings say before its pipeline is read.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::environment::Environment;
use super::search::{self, End};
use super::trust::Owners;
use super::{Project, ProjectError};
use synix_core::clock::Clock;
use synix_engine::build::DEFAULT_CONCURRENCY;
use synix_sandbox::Compiler;
use synix_store::{BuildRow, Store};

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
    /// What the command knows of its surroundings; the paths below are seen from its folder.
    pub environment: Environment,
    /// The pipeline file; `None`: `synix.toml` here or in the nearest folder above.
    pub pipeline: Option<PathBuf>,
    /// Takes the place of `SYNIX_CASSETTE_MODE`.
    pub cassette_mode: Option<CassetteMode>,
    /// Takes the place of `SYNIX_CASSETTE_DIR`.
    pub cassette_dir: Option<PathBuf>,
    /// Sync calls at a time; `None`: 16.
    pub concurrency: Option<usize>,
    /// Refuse what would change the lock file; `None`: where a CI service runs this.
    pub locked: Option<bool>,
    /// Ask no server for plugins, and leave the lock file as it is.
    pub offline: bool,
    /// Say yes, for this command, to everything that the project asks for.
    pub trust: bool,
    /// Who compiles plugins; by default nobody does, and only those in the cache can be used.
    pub compiler: Compiler,
}

impl Options {
    /// Returns the pipeline file, if the user named one and not its folder.
    pub(super) fn named_file(&self) -> Option<PathBuf> {
        let path = self.environment.at(self.pipeline.as_deref()?);
        Some(path).filter(|path| !path.is_dir())
    }
}

/// Where a project is and what the environment says, before its pipeline is read.
pub(super) struct ProjectContext {
    pub(super) root: PathBuf,
    /// The pipeline file, relative to the root.
    pub(super) file: String,
    pub(super) environment: Environment,
    pub(super) cassette_mode: CassetteMode,
    pub(super) cassette_dir: PathBuf,
    pub(super) concurrency: NonZero<usize>,
    pub(super) locked: bool,
    /// Whether no server is asked for plugins.
    pub(super) offline: bool,
    pub(super) clock: Clock,
    pub(super) owners: Owners,
    /// Whether the user says yes to everything, for this command.
    pub(super) trusted: bool,
    /// The command that asks the user.
    pub(super) trust_command: String,
    pub(super) compiler: Compiler,
}

impl ProjectContext {
    pub(super) fn find(options: &Options) -> Result<Self, ProjectError> {
        let path = match &options.pipeline {
            Some(path) => {
                let path = options.environment.at(path);
                if path.is_dir() {
                    path.join("synix.toml")
                } else {
                    path
                }
            }
            None => nearest_pipeline(&options.environment)?,
        };
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let (Some(file), true) = (name, path.is_file()) else {
            return Err(ProjectError::no_pipeline(path));
        };
        Self::at(folder_of(&path).to_owned(), file, options)
    }

    /// Finds the project of a command that starts from the state: its pipeline file may have any name (L2).
    pub(super) fn with_state(options: &Options) -> Result<Self, ProjectError> {
        match Self::find(options) {
            Err(error @ ProjectError::NoPipeline { .. }) if options.pipeline.is_none() => {
                match nearest(&options.environment, ".synix")?.0 {
                    Some(root) => Self::at(root, "synix.toml".to_owned(), options),
                    None => Err(error),
                }
            }
            // One that was named may be gone; what it made is still there.
            Err(ProjectError::NoPipeline { path, ended }) => {
                let root = folder_of(&path).to_owned();
                match path.file_name() {
                    Some(file) if root.join(".synix").is_dir() => {
                        let file = file.to_string_lossy().into_owned();
                        Self::at(root, file, options)
                    }
                    _ => Err(ProjectError::NoPipeline { path, ended }),
                }
            }
            found => found,
        }
    }

    fn at(root: PathBuf, file: String, options: &Options) -> Result<Self, ProjectError> {
        let environment = options.environment.clone();
        synix_core::crash::arm(environment.crash_at());
        let cassette_mode = match options.cassette_mode {
            Some(mode) => mode,
            None => environment
                .get("SYNIX_CASSETTE_MODE")
                .unwrap_or_default()
                .parse()
                .map_err(ProjectError::Usage)?,
        };
        let cassette_dir = match (&options.cassette_dir, environment.get("SYNIX_CASSETTE_DIR")) {
            (Some(folder), _) => environment.at(folder),
            (None, Some(folder)) if !folder.is_empty() => environment.at(Path::new(&folder)),
            _ => root.join("cassettes"),
        };
        let concurrency = match options.concurrency {
            Some(count) => NonZero::new(count).ok_or_else(|| {
                ProjectError::Usage("--concurrency must be at least 1".to_owned())
            })?,
            None => DEFAULT_CONCURRENCY,
        };
        let clock = environment.clock()?;
        let locked = options.locked.unwrap_or_else(|| environment.is_ci());
        let trust_command = match &options.pipeline {
            Some(path) => format!("synix trust {}", quoted(&path.display().to_string())),
            None => "synix trust".to_owned(),
        };
        Ok(Self {
            root,
            file,
            owners: Owners::of_this_process(environment.sudo_user()),
            environment,
            trusted: options.trust,
            trust_command,
            cassette_mode,
            cassette_dir,
            concurrency,
            locked,
            offline: options.offline,
            clock,
            compiler: options.compiler.clone(),
        })
    }

    pub(super) fn state(&self) -> PathBuf {
        // Within the folder itself messages name `.synix` alone.
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

    /// Refuses to write where the state would not be safe, unless the user knows better.
    pub(super) fn check_file_system(&self) -> Result<(), ProjectError> {
        if self.environment.get("SYNIX_ALLOW_NETWORK_FS").as_deref() == Some("1") {
            return Ok(());
        }
        Ok(synix_store::refuse_network_file_system(&self.state())?)
    }

    /// Opens the project with the pipeline of a build, or with the one that the user names instead.
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
            ..options.clone()
        })
    }
}

/// Returns the folder that a file stands in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|root| !root.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn nearest_pipeline(environment: &Environment) -> Result<PathBuf, ProjectError> {
    // Within the folder itself messages name the file alone.
    let file = environment.at(Path::new("synix.toml"));
    if file.is_file() {
        return Ok(file);
    }
    match nearest(environment, "synix.toml")? {
        (Some(folder), _) => Ok(folder.join("synix.toml")),
        (None, ended) => Err(ProjectError::NoPipeline { path: file, ended }),
    }
}

/// Returns this folder or the nearest above that holds `name`, or where the search for it ended.
fn nearest(
    environment: &Environment,
    name: &str,
) -> Result<(Option<PathBuf>, Option<String>), ProjectError> {
    let here = environment.here()?;
    let search = search::upwards(&here, environment.home().as_deref(), name);
    let ended = search
        .end
        .map(|end: End| format!("{}: {}", search.last.display(), end.words()));
    Ok((search.found, ended))
}

/// Writes a path so that a shell reads it as one word.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !path.is_empty() && !path.starts_with('-') && path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}
