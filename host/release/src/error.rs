//! Why artifacts or a release could not be written or checked.

use std::io;
use std::path::PathBuf;

use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_disk::DiskError;
use synix_engine::view::FindError;
use synix_manifest::OutputFormat;
use synix_search::SearchError;
use synix_store::StoreError;

/// Why artifacts or a release could not be written or checked.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A layer or snapshot does not exist.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The state could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output could not be written.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
    /// The file system refused an operation.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is nothing to release.
    #[error("{pipeline} has no outputs")]
    NoOutputs {
        /// The pipeline file.
        pipeline: String,
    },
    /// An output names a layer that the snapshot does not have.
    #[error("output `{output}` cannot be written")]
    Output {
        /// The output.
        output: String,
        /// Why.
        source: Box<ReleaseError>,
    },
    /// Answers in JSON have too many different members.
    #[error("the answers in JSON have more than {max} different members")]
    TooManyMembers {
        /// The maximum.
        max: usize,
    },
    /// A document has no room for its title and the note about what is left out.
    #[error(
        "`max_bytes` = {max} is too small: the title and the note about what is left out have {needed} bytes"
    )]
    TooSmall {
        /// The maximum.
        max: u64,
        /// What is needed at least.
        needed: u64,
    },
    /// The search file cannot be written.
    #[error(transparent)]
    Search(Box<SearchError>),
    /// A search file has vectors, and not the texts that they were made of.
    #[error(
        "the output has the embeddings of layer `{layer}` without the texts that they were made of; add the layer of the texts"
    )]
    VectorsWithoutTexts {
        /// The layer of the embeddings.
        layer: String,
    },
    /// This build of synix cannot write the format.
    #[error("this synix was built without the format `{0}`")]
    NotBuilt(OutputFormat),
    /// The format makes a folder, or a file that is not written from its start to its end.
    #[error("the format `{0}` cannot be written to stdout")]
    NoStream(OutputFormat),
    /// Something is at the path already.
    #[error("{} exists already", .path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// Two labels of a layer would have the same file.
    #[error("two artifacts would be the file {path:?}")]
    SameFile {
        /// The path within the output.
        path: String,
    },
    /// Another process writes a release to the folder.
    #[error("another process writes a release to {}: {holder}", .folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// The process.
        holder: String,
    },
    /// The folder has something that is not of a release.
    #[error("{} is not of a release: {why}", .path.display())]
    Foreign {
        /// The entry.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// The folder has the releases of another pipeline.
    #[error("{} has releases of {found}, not of {pipeline}", .folder.display())]
    OtherPipeline {
        /// The folder.
        folder: PathBuf,
        /// The pipeline file of its releases.
        found: String,
        /// The pipeline file of this release.
        pipeline: String,
    },
    /// The file system cannot exchange folders.
    #[error("{} has other files than this release, and the file system cannot exchange them atomically", .path.display())]
    CannotExchange {
        /// The folder.
        path: PathBuf,
    },
    /// There is no release to check.
    #[error("there is no release in {}", .folder.display())]
    NoRelease {
        /// The folder.
        folder: PathBuf,
    },
}

impl ReleaseError {
    /// Returns the stable name of the error's class; `docs/commands.md` lists them.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Find(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Write(error) if error.kind() == io::ErrorKind::StorageFull => {
                ErrorKind::DISK_FULL
            }
            Self::Disk(error) if error.source.kind() == io::ErrorKind::StorageFull => {
                ErrorKind::DISK_FULL
            }
            Self::Write(_) | Self::Disk(_) | Self::Exists { .. } => ErrorKind::FILE,
            Self::NoOutputs { .. } | Self::TooSmall { .. } | Self::VectorsWithoutTexts { .. } => {
                ErrorKind::PIPELINE
            }
            Self::Search(error) => error.kind(),
            Self::NoStream(_) => ErrorKind::USAGE,
            Self::Output { source, .. } => source.kind(),
            Self::Busy { .. } => ErrorKind::BUSY,
            Self::TooManyMembers { .. }
            | Self::NotBuilt(_)
            | Self::SameFile { .. }
            | Self::Foreign { .. }
            | Self::OtherPipeline { .. }
            | Self::CannotExchange { .. }
            | Self::NoRelease { .. } => ErrorKind::RELEASE,
        }
    }

    /// Returns the exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Find(error) => error.exit_code(),
            Self::Output { source, .. } => source.exit_code(),
            Self::NoOutputs { .. }
            | Self::TooSmall { .. }
            | Self::VectorsWithoutTexts { .. }
            | Self::NoStream(_) => ExitCode::Usage,
            Self::Search(error) => error.exit_code(),
            Self::Busy { .. } => ExitCode::Refused,
            Self::Store(_)
            | Self::Write(_)
            | Self::Disk(_)
            | Self::TooManyMembers { .. }
            | Self::NotBuilt(_)
            | Self::Exists { .. }
            | Self::SameFile { .. }
            | Self::Foreign { .. }
            | Self::OtherPipeline { .. }
            | Self::CannotExchange { .. }
            | Self::NoRelease { .. } => ExitCode::Failure,
        }
    }

    /// Returns what to do next, if the message does not say it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Find(error) => return error.hint(),
            Self::Store(error) => return error.hint(),
            Self::Output { source, .. } => return source.hint(),
            Self::NoOutputs { .. } => {
                "add a table [outputs.NAME] with `layers`, `format` and `path`"
            }
            Self::TooSmall { .. } => "set a larger `max_bytes`, or a shorter `title`",
            Self::NoStream(_) => "pass -o PATH",
            Self::TooManyMembers { .. } => "use the format `jsonl`, which has no columns",
            Self::Exists { .. } => "pass another path, or move it away",
            Self::SameFile { .. } => "rename one of the artifacts",
            Self::Foreign { .. } => "move it away, or pass another folder with --to DIR",
            Self::OtherPipeline { .. } => "pass a folder of its own with --to DIR",
            Self::CannotExchange { .. } => "delete the folder, or pass another one with --to DIR",
            Self::NoRelease { .. } => "run `synix release` to write one",
            Self::Busy { .. } => "wait until it has ended",
            Self::NotBuilt(_) => "use a synix that was built with the default features",
            Self::Search(error) => return error.hint(),
            Self::Write(_) | Self::Disk(_) | Self::VectorsWithoutTexts { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
