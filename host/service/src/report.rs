//! What became of a job, as its turns report it.

use serde::{Deserialize, Serialize};

use synix_core::clock::Timestamp;
use synix_core::exit_code::ExitCode;
use synix_engine::view::ErrorView;

use crate::error::exit_of;

/// What became of a job so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobReport {
    /// The id of the job.
    pub job: String,
    /// The name of the project at the service.
    pub project: String,
    /// Its build; `None` if there is none yet.
    pub build: Option<String>,
    /// What the job does now.
    pub state: JobState,
    /// The status of its build, as `status` shows it; `None` without a build.
    pub status: Option<String>,
    /// When this was so; `None` if the service has not begun.
    pub at: Option<Timestamp>,
    /// When the service continues; `None` if it does not.
    pub next: Option<Timestamp>,
    /// Why the build does not go on, or has not gone on in the last turn.
    pub error: Option<ErrorView>,
    /// What a command that runs this build would exit with; `None` if the job has not ended.
    pub exit_code: Option<u8>,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// The server has it, and the service has not ended its first turn.
    Begun,
    /// It waits for answers, or for what went wrong to pass.
    Waiting,
    /// It has ended.
    Ended,
}

impl JobReport {
    /// Returns the report of a job before the service has ended a turn of it.
    pub(crate) fn begun(job: &str, project: &str) -> Self {
        Self {
            job: job.to_owned(),
            project: project.to_owned(),
            build: None,
            state: JobState::Begun,
            status: None,
            at: None,
            next: None,
            error: None,
            exit_code: None,
        }
    }

    /// Returns what a command that waits for the job exits with; `None` if the job has not ended.
    pub fn exit(&self) -> Option<ExitCode> {
        self.exit_code.map(|code| match code {
            0 => ExitCode::Success,
            code => exit_of(code),
        })
    }
}
