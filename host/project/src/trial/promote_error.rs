//! Why the settings of a trial cannot be written into the files of a project.

use synix_manifest::EditError;
use synix_store::BuildId;

/// Why the settings of a trial cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// Another process writes the settings of a trial.
    #[error("another `promote` writes the files of this project")]
    Busy,
    /// A later trial of the same name has other settings and no snapshot yet.
    #[error(
        "{build} is a later trial `{name}` with other settings, and is not complete; its snapshot is that of {complete}"
    )]
    Unfinished {
        /// The name of both.
        name: String,
        /// The later build.
        build: BuildId,
        /// The build that made the snapshot.
        complete: BuildId,
    },
    /// A value is not what it was before the trial.
    #[error("{file}: `{key}` has changed since the trial: it was {before} and is {now}")]
    Changed {
        /// The pipeline file.
        file: String,
        /// The key.
        key: String,
        /// The value before the trial.
        before: String,
        /// The value now.
        now: String,
    },
    /// A prompt file is not what it was before the trial.
    #[error("the prompt file {file} has changed since the trial")]
    FileChanged {
        /// The file.
        file: String,
    },
    /// Another layer uses the same prompt file.
    #[error("{file} is also the prompt of layer `{other}`, which the trial did not change")]
    SharedFile {
        /// The file.
        file: String,
        /// The other layer.
        other: String,
    },
    /// A prompt file is not in the project folder.
    #[error("{file} leads out of the project folder, so it is not written")]
    Outside {
        /// The file.
        file: String,
    },
    /// The pipeline file cannot be changed, or would not be valid.
    #[error("{file}: {error}")]
    Edit {
        /// The pipeline file.
        file: String,
        /// The error.
        error: EditError,
    },
}

impl PromoteError {
    /// Returns what to do next.
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Busy => "wait until it ends, then run the command again",
            Self::Unfinished { build, .. } => {
                return format!(
                    "nothing was written; continue it with `synix resume {build}`, or give it up with `synix batch-build cancel {build}`"
                );
            }
            Self::Changed { .. } | Self::FileChanged { .. } => {
                "nothing was written; run the trial again with the files as they are now, or change them yourself"
            }
            Self::SharedFile { .. } => {
                "nothing was written; give the layer a prompt file of its own and run the trial again"
            }
            Self::Outside { .. } => "nothing was written; use a file in the project folder",
            Self::Edit { .. } => "nothing was written; change the pipeline file yourself",
        };
        hint.to_owned()
    }
}
