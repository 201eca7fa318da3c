//! Answers to questions about the builds of a project, as the commands on this machine would give them.

use serde::Serialize;
use synix_core::error_kind::ErrorKind;
use synix_engine::build::BuildError;
use synix_engine::view::find_build;
use synix_project::{Options, ProjectError, open_reader};
use synix_restate::EndpointError;
use synix_store::LogPage;

use crate::documents::{JobDocument, Question, QuestionDocument, Refusal, key, write};
use crate::service::Service;

/// The maximum number of events in an answer.
const MAX_EVENTS: u64 = 10_000;

impl Service {
    /// Checks a job before the server keeps it.
    pub(crate) fn check(&self, key: &str, text: &str) -> Result<(), EndpointError> {
        let invalid = |message: String| refusal(&ProjectError::Usage(message));
        let job = JobDocument::parse(text).map_err(invalid)?;
        if job.key() != key {
            return Err(invalid("the job and its key differ".to_owned()));
        }
        let options = self.project(&job.project)?;
        if let Some(build) = &job.resume {
            let find = || Ok(find_build(&open_reader(options)?, build)?);
            find().map_err(|error: ProjectError| refusal(&error))?;
        }
        Ok(())
    }

    /// Answers a question.
    pub(crate) fn ask(&self, text: &str) -> Result<String, EndpointError> {
        let asked = QuestionDocument::parse(text)
            .map_err(|message| refusal(&ProjectError::Usage(message)))?;
        let options = self.project(&asked.project)?;
        let answer = match asked.question {
            Question::Overview {} => document(synix_project::overview(options)),
            Question::Status { build } => {
                let status = named(options, build)
                    .and_then(|build| synix_project::status(options, Some(&build)));
                document(status)
            }
            Question::Log {
                build,
                after,
                limit,
                since,
            } => {
                let page = LogPage {
                    after,
                    limit: limit.min(MAX_EVENTS),
                    since,
                };
                let log = named(options, build)
                    .and_then(|build| synix_project::build_log(options, &build, page));
                document(log)
            }
            Question::Cancel { build } => document(self.cancel(&asked.project, options, &build)),
        };
        answer.map_err(|error| refusal(&error))
    }

    /// Cancels a build: stops the turn that drives it, and its batches at the providers.
    fn cancel(
        &self,
        project: &str,
        options: &Options,
        build: &str,
    ) -> Result<synix_engine::view::Status, ProjectError> {
        let reader = open_reader(options)?;
        let row = find_build(&reader, build)?;
        for job in reader.jobs_of(row.id)? {
            self.running.cancel(&key(project, &job));
        }
        let id = row.id.to_string();
        match synix_project::cancel(options, Some(&id), &|_| {}) {
            Ok(report) => Ok(report.status),
            // The server repeats a call whose reply is lost.
            Err(error) if error.kind() == ErrorKind::ENDED => {
                let status = synix_project::status(options, Some(&id))?;
                if status.status == "cancelled" {
                    Ok(status)
                } else {
                    Err(error)
                }
            }
            Err(error) => Err(error),
        }
    }

    fn project(&self, name: &str) -> Result<&Options, EndpointError> {
        self.projects.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.projects.keys().map(String::as_str).collect();
            let known = known.join(", ");
            refusal(&ProjectError::Usage(format!(
                "the service has no project {name:?}; it has {known}"
            )))
        })
    }
}

/// Returns the build that is asked about: by default the newest.
fn named(options: &Options, build: Option<String>) -> Result<String, ProjectError> {
    if let Some(build) = build {
        return Ok(build);
    }
    let newest = open_reader(options)?.builds_before(None, None, 1)?;
    let newest = newest.first().ok_or(BuildError::NoBuild)?;
    Ok(newest.id.to_string())
}

fn document<T: Serialize>(answer: Result<T, ProjectError>) -> Result<String, ProjectError> {
    answer.map(|answer| write(&answer))
}

fn refusal(error: &ProjectError) -> EndpointError {
    let refusal = Refusal {
        error: error.view(),
        exit_code: error.exit_code().code(),
    };
    EndpointError::Refused(write(&refusal).into())
}
