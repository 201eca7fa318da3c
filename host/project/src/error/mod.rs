//! The errors of commands on a project.

mod report;

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use super::trial::PromoteError;
use super::trust::{Permission, TrustError, listed};
use synix_disk::DiskError;
use synix_engine::build::{BuildError, PrepareError};
use synix_engine::view::FindError;
use synix_fetch::{FetchError, LockFileError};
use synix_manifest::PipelineErrors;
use synix_providers::ProviderError;
use synix_providers::cassette::CassetteError;
use synix_sandbox::PluginError;
use synix_sources::SourceError;
use synix_store::{BuildId, StoreError};
use synix_watch::WatchError;

/// Why a command failed or was refused.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no pipeline file.
    #[error("there is no pipeline file {}{}", .path.display(), searched(.search_end.as_deref()))]
    NoPipeline {
        /// The path that was tried first.
        path: PathBuf,
        /// The last folder that was searched, and why the search stopped.
        search_end: Option<String>,
    },
    /// The path of the pipeline file leads to something else.
    #[error("the pipeline file {} is {found}, not a file", .path.display())]
    PipelineNotAFile {
        /// The path.
        path: PathBuf,
        /// What it leads to.
        found: &'static str,
    },
    /// The project asks for something that the user has not allowed.
    #[error(
        "this project needs your permission, and nothing was sent. It asks to:{}",
        listed(.asked)
    )]
    Untrusted {
        /// The missing permissions.
        asked: Vec<Permission>,
        /// The command that asks the user for them.
        command: String,
        /// Why the permissions that the user has granted cannot be read.
        source: Option<TrustError>,
    },
    /// The folder for the user's permissions cannot be used.
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
    /// A text file is not UTF-8.
    #[error("{} is not UTF-8 (byte {offset})", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The position of the first invalid byte.
        offset: usize,
    },
    /// The pipeline file is invalid.
    #[error("{}", .errors.in_file(.file))]
    Pipeline {
        /// The file.
        file: String,
        /// All errors in the file.
        errors: PipelineErrors,
    },
    /// A plugin or a file of the pipeline is unusable.
    #[error(transparent)]
    Prepare(Box<PrepareError>),
    /// The lock file cannot be used, or the plugins do not match it.
    #[error(transparent)]
    Lock(#[from] LockFileError),
    /// A plugin could not be downloaded.
    #[error(transparent)]
    Registry(#[from] FetchError),
    /// The project folder cannot be opened.
    #[error(transparent)]
    Folder(Box<SourceError>),
    /// The sandbox cannot be started.
    #[error(transparent)]
    Sandbox(#[from] Box<PluginError>),
    /// An option or a variable is invalid.
    #[error("{0}")]
    Usage(String),
    /// The operating system refused what every command needs.
    #[error("cannot start synix in this folder")]
    System {
        /// The error of the operating system.
        source: io::Error,
    },
    /// An operation of the file system failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// An operation on the state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cassette cannot be used.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
    /// A provider cannot be opened.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The store of shared answers cannot be used.
    #[error("cannot use the shared answers in {url}")]
    Shared {
        /// The URL of the store, without a credential.
        url: String,
        /// The error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Units cannot run through an engine.
    #[error("cannot run units through {url}")]
    Engine {
        /// The URL of the engine, without a credential.
        url: String,
        /// The error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store of contents for workers cannot be used.
    #[error("cannot use the store of contents {url}")]
    Contents {
        /// The URL of the store, without a credential.
        url: String,
        /// The error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The worker cannot start.
    #[error("cannot start the worker")]
    Worker {
        /// The error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The project folder cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// A signal interrupted the build.
    #[error("{summary}")]
    Interrupted {
        /// The build.
        build: BuildId,
        /// What continues at the providers, and the next command.
        summary: String,
    },
    /// The build failed or was refused.
    #[error(transparent)]
    Build(Box<BuildError>),
    /// Another process runs a trial of the same name.
    #[error("trial `{name}` runs now, as {build} ({holder})")]
    TrialRuns {
        /// The name.
        name: String,
        /// The build.
        build: BuildId,
        /// The process and its start.
        holder: String,
    },
    /// The settings of a trial cannot be written into the pipeline file.
    #[error(transparent)]
    Promote(#[from] PromoteError),
    /// A name that the user gave does not exist or is ambiguous.
    #[error(transparent)]
    Find(#[from] FindError),
}

impl From<BuildError> for ProjectError {
    fn from(error: BuildError) -> Self {
        Self::Build(Box::new(error))
    }
}

/// Describes a search, to follow the name of the file.
fn searched(search_end: Option<&str>) -> String {
    search_end.map_or_else(String::new, |end| {
        format!(" in this folder or its parents (the search stopped at {end})")
    })
}

impl ProjectError {
    /// Returns the error of a pipeline file that does not exist or is not a file.
    pub fn unusable_pipeline_file(path: PathBuf) -> Self {
        match path.metadata() {
            Ok(metadata) => Self::PipelineNotAFile {
                path,
                found: describe_file_type(metadata.file_type()),
            },
            Err(_) => Self::NoPipeline {
                path,
                search_end: None,
            },
        }
    }

    /// Returns the path of a pipeline file that does not exist or is not a file.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other errors are not about this path"
    )]
    pub(super) fn pipeline_path(&self) -> Option<&Path> {
        match self {
            Self::NoPipeline { path, .. } | Self::PipelineNotAFile { path, .. } => Some(path),
            _ => None,
        }
    }
}

fn describe_file_type(file_type: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if file_type.is_fifo() {
            return "a pipe";
        }
        if file_type.is_socket() {
            return "a socket";
        }
        if file_type.is_block_device() || file_type.is_char_device() {
            return "a device";
        }
    }
    if file_type.is_dir() {
        "a folder"
    } else {
        "no regular file"
    }
}
