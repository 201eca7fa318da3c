//! Why the settings of a trial cannot be written into the files of a project.

use synix_manifest::EditError;

/// Why the settings of a trial cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
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
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Changed { .. } | Self::FileChanged { .. } => {
                "nothing was written; run the trial again with the files as they are now, or change them yourself"
            }
            Self::SharedFile { .. } => {
                "nothing was written; give the layer a prompt file of its own and run the trial again"
            }
            Self::Outside { .. } => "nothing was written; use a file in the project folder",
            Self::Edit { .. } => "nothing was written; change the pipeline file yourself",
        }
    }
}
