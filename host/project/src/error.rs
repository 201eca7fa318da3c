//! Why a project could not be opened or a command not carried out, and with which exit code.

use std::io;
use std::path::PathBuf;

use super::trust::{Permission, TrustError, listed};
use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_disk::DiskError;
use synix_engine::batch::BatchError;
use synix_engine::build::{BuildError, PrepareError};
use synix_engine::view::{ErrorView, FindError};
use synix_fetch::{FetchError, LockFileError};
use synix_manifest::PipelineErrors;
use synix_providers::ProviderError;
use synix_providers::cassette::CassetteError;
use synix_sandbox::PluginError;
use synix_sources::SourceError;
use synix_store::{BuildId, StoreError};

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no pipeline file.
    #[error("there is no pipeline file {}{}", .path.display(), searched(.ended.as_deref()))]
    NoPipeline {
        /// Where it was looked for.
        path: PathBuf,
        /// The last folder that was searched, and why none above it was.
        ended: Option<String>,
    },
    /// The project asks for what the user did not say yes to.
    #[error(
        "this project needs your yes, and nothing was sent. It asks to:{}",
        listed(.asked)
    )]
    Untrusted {
        /// What it asks for.
        asked: Vec<Permission>,
        /// The command that asks the user.
        command: String,
        /// Why a yes that was said may be unknown.
        source: Option<TrustError>,
    },
    /// What the user says yes to cannot be kept.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A key would leave this machine unencrypted.
    #[error(
        "provider {provider}: {variable} would go to {server} unencrypted, so nothing was sent"
    )]
    UnencryptedKey {
        /// The provider.
        provider: String,
        /// The variable that holds the key.
        variable: String,
        /// The server.
        server: String,
    },
    /// A file that must be text is not.
    #[error("{} is not UTF-8 (byte {offset})", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Where the first wrong byte stands.
        offset: usize,
    },
    /// The pipeline file is wrong.
    #[error("{}", .errors.in_file(.file))]
    Pipeline {
        /// The file.
        file: String,
        /// All that is wrong.
        errors: PipelineErrors,
    },
    /// A plugin or a file of the pipeline is unusable.
    #[error(transparent)]
    Prepare(Box<PrepareError>),
    /// The lock file cannot be used, or the plugins are not those in it.
    #[error(transparent)]
    Lock(#[from] LockFileError),
    /// A plugin from elsewhere could not be got.
    #[error(transparent)]
    Registry(#[from] FetchError),
    /// The project's folder cannot be opened.
    #[error(transparent)]
    Folder(Box<SourceError>),
    /// The sandbox cannot be started.
    #[error(transparent)]
    Sandbox(#[from] Box<PluginError>),
    /// An option or variable has no meaning.
    #[error("{0}")]
    Usage(String),
    /// The system refused something basic.
    #[error("cannot start here")]
    Here {
        /// What the system said.
        source: io::Error,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cassette failed.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
    /// A provider cannot be opened.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The user, or the system, ended the command.
    #[error("{left}")]
    Interrupted {
        /// The build.
        build: BuildId,
        /// What goes on, and what to run.
        left: String,
    },
    /// The build could not go on.
    #[error(transparent)]
    Build(Box<BuildError>),
    /// A name leads to nothing that is there.
    #[error(transparent)]
    Find(#[from] FindError),
}

impl From<BuildError> for ProjectError {
    fn from(error: BuildError) -> Self {
        Self::Build(Box::new(error))
    }
}

/// Says where a search ended, in words that follow the name of the file.
fn searched(ended: Option<&str>) -> String {
    ended.map_or_else(String::new, |ended| {
        format!(" here or above (the search ended at {ended})")
    })
}

impl ProjectError {
    pub(super) const fn no_pipeline(path: PathBuf) -> Self {
        Self::NoPipeline { path, ended: None }
    }

    /// Returns the stable word for the class of the error, as `docs/commands.md` lists them.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPipeline { .. } => ErrorKind::NO_PIPELINE,
            Self::Untrusted { .. } => ErrorKind::UNTRUSTED,
            Self::UnencryptedKey { .. } => ErrorKind::UNENCRYPTED_KEY,
            Self::Trust(_) => ErrorKind::TRUST,
            Self::NotText { .. } | Self::Pipeline { .. } => ErrorKind::PIPELINE,
            Self::Prepare(error) => match **error {
                PrepareError::Pipeline(_) | PrepareError::File { .. } | PrepareError::Files(_) => {
                    ErrorKind::PIPELINE
                }
                PrepareError::Plugin { .. } => ErrorKind::PLUGIN,
            },
            Self::Lock(LockFileError::Differs { .. }) => ErrorKind::LOCKED,
            Self::Lock(_) => ErrorKind::LOCK_FILE,
            Self::Registry(_) => ErrorKind::FETCH,
            Self::Sandbox(_) => ErrorKind::PLUGIN,
            Self::Usage(_) => ErrorKind::USAGE,
            Self::Here { .. } => ErrorKind::SYSTEM,
            Self::Folder(_) | Self::Disk(_) => ErrorKind::FILE,
            Self::Store(error) => error.kind(),
            Self::Cassette(_) => ErrorKind::CASSETTE,
            Self::Provider(_) => ErrorKind::PROVIDER,
            Self::Interrupted { .. } => ErrorKind::INTERRUPTED,
            Self::Build(error) => error.kind(),
            Self::Find(error) => error.kind(),
        }
    }

    /// Says what to do about it, where the message does not.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPipeline { .. } => Some(
                "`synix init` makes a project; --pipeline FILE or -C DIR names one that is elsewhere".to_owned(),
            ),
            Self::Cassette(CassetteError::Missing { .. }) => Some(
                "record it with `synix build --cassette-mode record`".to_owned(),
            ),
            Self::Untrusted { command, .. } => Some(format!(
                "`{command}` shows this and asks you; --trust after `build`, `batch-build run`, `resume` and `cancel`, `plugin update` and `plugin fetch` says yes for that command alone"
            )),
            Self::UnencryptedKey { .. } => Some(
                "write `https://`, or give the provider a name of its own and no `api_key_env`, so that it gets no key".to_owned(),
            ),
            Self::Store(error) => error.hint(),
            Self::Build(error) => error.hint(),
            Self::Find(error) => error.hint(),
            Self::NotText { .. }
            | Self::Pipeline { .. }
            | Self::Prepare(_)
            | Self::Lock(_)
            | Self::Registry(_)
            | Self::Folder(_)
            | Self::Sandbox(_)
            | Self::Usage(_)
            | Self::Here { .. }
            | Self::Disk(_)
            | Self::Trust(_)
            | Self::Cassette(_)
            | Self::Provider(_)
            | Self::Interrupted { .. } => None,
        }
    }

    /// Shows it as `--json` does.
    pub fn view(&self) -> ErrorView {
        ErrorView::of(self.kind(), self.hint(), self)
    }

    /// Returns the exit code of a command that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoPipeline { .. }
            | Self::NotText { .. }
            | Self::Pipeline { .. }
            | Self::Usage(_)
            | Self::Lock(LockFileError::Unreadable { .. } | LockFileError::Newer { .. }) => ExitCode::Usage,
            Self::Untrusted { .. }
            | Self::UnencryptedKey { .. }
            | Self::Lock(LockFileError::Differs { .. }) => ExitCode::Refused,
            Self::Prepare(error) => match **error {
                PrepareError::Pipeline(_) | PrepareError::File { .. } | PrepareError::Files(_) => ExitCode::Usage,
                PrepareError::Plugin { .. } => ExitCode::Failure,
            },
            Self::Build(error) => match &**error {
                BuildError::NoBuild => ExitCode::Usage,
                BuildError::Held { .. }
                | BuildError::Ended { .. }
                | BuildError::Mismatch { .. }
                | BuildError::Budget { .. }
                | BuildError::Unpriced(_)
                | BuildError::Excess(_)
                | BuildError::OtherAnswers { .. }
                | BuildError::Batch(
                    BatchError::Ambiguous { .. } | BatchError::CreateOutcomeUnknown { .. },
                ) => ExitCode::Refused,
                BuildError::Store(_)
                | BuildError::Source { .. }
                | BuildError::Sources(_)
                | BuildError::Metadata { .. }
                | BuildError::Plugin { .. }
                | BuildError::Batch(_)
                | BuildError::Cassette(_)
                | BuildError::Disk(_)
                | BuildError::MissingKey { .. }
                | BuildError::Interrupted
                | BuildError::WorkersGone => ExitCode::Failure,
            },
            Self::Find(error) => error.exit_code(),
            Self::Folder(_)
            | Self::Trust(_)
            | Self::Lock(_)
            | Self::Registry(_)
            | Self::Sandbox(_)
            | Self::Here { .. }
            | Self::Disk(_)
            | Self::Store(_)
            | Self::Cassette(_)
            | Self::Interrupted { .. }
            | Self::Provider(_) => ExitCode::Failure,
        }
    }
}
