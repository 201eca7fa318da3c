//! Why a project could not be opened or a command not carried out, and with which exit code.

use std::io;
use std::path::PathBuf;

use crate::batch::BatchError;
use crate::build::{BuildError, PrepareError};
use crate::disk::DiskError;
use crate::llm::ProviderError;
use crate::llm::cassette::CassetteError;
use crate::pipeline::PipelineErrors;
use crate::plugin::PluginError;
use crate::registry::{LockError, RegistryError};
use crate::source::SourceError;
use crate::store::{BuildId, StoreError};

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// There is no pipeline file.
    #[error("there is no pipeline file {}; `synix init` makes a project", .path.display())]
    NoPipeline {
        /// Where it was looked for.
        path: PathBuf,
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
    Lock(#[from] LockError),
    /// A plugin from elsewhere could not be got.
    #[error(transparent)]
    Registry(#[from] RegistryError),
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
    Build(#[from] BuildError),
}

impl ProjectError {
    /// Returns the exit code: 1 failed, 2 usage or pipeline file, 5 refused.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoPipeline { .. }
            | Self::NotText { .. }
            | Self::Pipeline { .. }
            | Self::Usage(_)
            | Self::Lock(LockError::Unreadable { .. } | LockError::Newer { .. }) => 2,
            Self::Lock(LockError::Differs { .. }) => 5,
            Self::Prepare(error) => match **error {
                PrepareError::Pipeline(_) | PrepareError::File { .. } | PrepareError::Files(_) => 2,
                PrepareError::Plugin { .. } => 1,
            },
            Self::Build(error) => match error {
                BuildError::UnknownBuild(_) => 2,
                BuildError::Held { .. }
                | BuildError::Ended { .. }
                | BuildError::Mismatch { .. }
                | BuildError::Budget { .. }
                | BuildError::Unpriced(_)
                | BuildError::OtherAnswers { .. }
                | BuildError::Batch(BatchError::Ambiguous { .. }) => 5,
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
                | BuildError::WorkersGone => 1,
            },
            Self::Folder(_)
            | Self::Lock(_)
            | Self::Registry(_)
            | Self::Sandbox(_)
            | Self::Here { .. }
            | Self::Disk(_)
            | Self::Store(_)
            | Self::Cassette(_)
            | Self::Interrupted { .. }
            | Self::Provider(_) => 1,
        }
    }
}
