//! What a command reports about an error: its kind, a hint, and the exit code.

use super::ProjectError;
use crate::trial::PromoteError;
use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_engine::batch::BatchError;
use synix_engine::build::{BuildError, PrepareError};
use synix_engine::view::ErrorView;
use synix_fetch::LockFileError;
use synix_providers::cassette::CassetteError;

impl ProjectError {
    /// Returns the stable name of the class of the error, as `docs/commands.md` lists them.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPipeline { .. } | Self::PipelineNotAFile { .. } => ErrorKind::NO_PIPELINE,
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
            Self::System { .. } | Self::Watch(_) => ErrorKind::SYSTEM,
            Self::Folder(_) | Self::Disk(_) => ErrorKind::FILE,
            Self::Store(error) => error.kind(),
            Self::Cassette(_) => ErrorKind::CASSETTE,
            Self::Provider(_) => ErrorKind::PROVIDER,
            Self::Shared { .. } => ErrorKind::SHARED,
            Self::Engine { .. } | Self::Contents { .. } | Self::Worker { .. } => ErrorKind::ENGINE,
            Self::Interrupted { .. } => ErrorKind::INTERRUPTED,
            Self::Build(error) => error.kind(),
            Self::TrialRuns { .. } | Self::Promote(PromoteError::Busy) => ErrorKind::BUSY,
            Self::Promote(_) => ErrorKind::PROMOTE,
            Self::Find(error) => error.kind(),
        }
    }

    /// Returns what the user can do, if the message does not say it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPipeline { .. } => Some(
                "run `synix init` to create a project, or pass --pipeline FILE or -C DIR to use another one".to_owned(),
            ),
            Self::Cassette(CassetteError::Missing { .. }) => Some(
                "run `synix build --cassette-mode record` to record it".to_owned(),
            ),
            Self::Untrusted { command, .. } => Some(format!(
                "run `{command}` to grant the permissions, or pass --trust to `build`, `try`, `batch-build run`, `resume`, `batch-build resume`, `batch-build cancel`, `plugin update` or `plugin fetch` to grant them for that command only"
            )),
            Self::UnencryptedKey { .. } => Some(
                "write `https://`, or give the provider another name and no `api_key_env`, so that it gets no key".to_owned(),
            ),
            Self::Store(error) => error.hint(),
            Self::Build(error) => error.hint(),
            Self::TrialRuns { .. } => Some(
                "wait until it ends; a trial with another name can run beside it".to_owned(),
            ),
            Self::Promote(error) => Some(error.hint()),
            Self::Find(error) => error.hint(),
            Self::PipelineNotAFile { .. } => Some(
                "replace it with a file, or pass --pipeline FILE to use another one".to_owned(),
            ),
            Self::NotText { .. }
            | Self::Pipeline { .. }
            | Self::Prepare(_)
            | Self::Lock(_)
            | Self::Registry(_)
            | Self::Folder(_)
            | Self::Sandbox(_)
            | Self::Usage(_)
            | Self::System { .. }
            | Self::Watch(_)
            | Self::Disk(_)
            | Self::Trust(_)
            | Self::Cassette(_)
            | Self::Provider(_)
            | Self::Shared { .. }
            | Self::Engine { .. }
            | Self::Contents { .. }
            | Self::Worker { .. }
            | Self::Interrupted { .. } => None,
        }
    }

    /// Returns the view that `--json` prints.
    pub fn view(&self) -> ErrorView {
        ErrorView::of(self.kind(), self.hint(), self)
    }

    /// Returns the exit code of a command that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoPipeline { .. }
            | Self::PipelineNotAFile { .. }
            | Self::NotText { .. }
            | Self::Pipeline { .. }
            | Self::Usage(_)
            | Self::Lock(LockFileError::Unreadable { .. } | LockFileError::Newer { .. }) => {
                ExitCode::Usage
            }
            Self::Untrusted { .. }
            | Self::UnencryptedKey { .. }
            | Self::Promote(_)
            | Self::TrialRuns { .. }
            | Self::Lock(LockFileError::Differs { .. }) => ExitCode::Refused,
            Self::Prepare(error) => match **error {
                PrepareError::Pipeline(_) | PrepareError::File { .. } | PrepareError::Files(_) => {
                    ExitCode::Usage
                }
                PrepareError::Plugin { .. } => ExitCode::Failure,
            },
            Self::Build(error) => match &**error {
                BuildError::NoBuild | BuildError::NothingSelected { .. } => ExitCode::Usage,
                BuildError::Query(error) if error.is_usage() => ExitCode::Usage,
                BuildError::Busy { .. }
                | BuildError::Ended { .. }
                | BuildError::PipelineMismatch { .. }
                | BuildError::Budget { .. }
                | BuildError::Unpriced(_)
                | BuildError::LimitExceeded(_)
                | BuildError::AnswerSourceMismatch { .. }
                | BuildError::Batch(
                    BatchError::Ambiguous { .. } | BatchError::CreateOutcomeUnknown { .. },
                ) => ExitCode::Refused,
                BuildError::Store(_)
                | BuildError::Source { .. }
                | BuildError::Sources(_)
                | BuildError::Spool { .. }
                | BuildError::SpoolDamaged { .. }
                | BuildError::Metadata { .. }
                | BuildError::Plugin { .. }
                | BuildError::Batch(_)
                | BuildError::Cassette(_)
                | BuildError::Query(_)
                | BuildError::Disk(_)
                | BuildError::MissingKey { .. }
                | BuildError::Engine(_)
                | BuildError::Outcome { .. }
                | BuildError::ComponentNotKept { .. }
                | BuildError::Interrupted
                | BuildError::ThreadPanicked => ExitCode::Failure,
            },
            Self::Find(error) => error.exit_code(),
            Self::Folder(_)
            | Self::Trust(_)
            | Self::Lock(_)
            | Self::Registry(_)
            | Self::Sandbox(_)
            | Self::System { .. }
            | Self::Watch(_)
            | Self::Disk(_)
            | Self::Store(_)
            | Self::Cassette(_)
            | Self::Interrupted { .. }
            | Self::Shared { .. }
            | Self::Engine { .. }
            | Self::Contents { .. }
            | Self::Worker { .. }
            | Self::Provider(_) => ExitCode::Failure,
        }
    }
}
