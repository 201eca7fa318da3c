//! A turn of a job: takes its build as far as it goes now, and says when to continue.
//!
//! Restate may repeat a turn whose end it does not know, so a turn first looks up what an earlier one has done: the state
//! of the project remembers which build a job has opened or resumed.

use std::time::Duration;

use synix_core::clock::Timestamp;
use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_engine::view::find_build;
use synix_project::{BuildReport, Options, Project, ProjectError, open_reader};
use synix_restate::{EndpointError, Progress};
use synix_store::{BuildRow, StoreError};

use crate::documents::{JobDocument, write};
use crate::event::ServiceEvent;
use crate::report::{JobReport, JobState};
use crate::running::Turn;
use crate::service::Service;

/// How long a turn waits at least if something went wrong that may pass.
const MIN_PAUSE_AFTER_ERROR: Duration = Duration::from_secs(10);

impl Service {
    /// Runs a turn of a job.
    pub(crate) fn turn(&self, text: &str) -> Result<Progress, EndpointError> {
        // Another version of the service has accepted it, and may come back.
        let unknown = |error: String| EndpointError::Transient(error.into());
        let job = JobDocument::parse(text).map_err(unknown)?;
        let Some(options) = self.projects.get(&job.project) else {
            // The next start of the service may name it again.
            let message = format!("this service has no project {:?}", job.project);
            return Err(EndpointError::Transient(message.into()));
        };
        let running = self.running.begin(&job.key(), &self.tokens);
        if running.turn.tokens.stop.is_cancelled() && !running.turn.is_cancelled() {
            return Err(stopping());
        }
        let options = Options {
            stop: Some(running.turn.tokens.clone()),
            rehash: job.options.rehash,
            ..options.clone()
        };
        let ended = self.drive(&job, &options);
        let report = self.report(&job, &options, ended, &running.turn)?;
        let wait = report.next.zip(report.at).map(|(next, at)| next.since(at));
        self.tell(ServiceEvent::Turn(report.clone()));
        Ok(Progress {
            report: write(&report),
            wait,
        })
    }

    /// Opens or continues the build of a job.
    fn drive(&self, job: &JobDocument, options: &Options) -> Result<BuildReport, ProjectError> {
        let observer = |event: &synix_engine::build::Event| {
            if let synix_engine::build::Event::Warning { message } = event {
                self.tell(ServiceEvent::Warning {
                    project: job.project.clone(),
                    message: message.clone(),
                });
            }
        };
        let known = known_build(job, options)?;
        let begins = !matches!(known, Some((_, true)));
        let run = job.run_options(begins, self.max_budget);
        match known {
            Some((row, _)) if !begins && (row.closed.is_some() || row.cancelled) => {
                recorded_report(options, &row)
            }
            Some((row, _)) => {
                synix_project::resume(options, Some(&row.id.to_string()), &run, &observer)
            }
            None if job.options.batch => Project::open(options)?.run_batch(&run, &observer),
            None => Project::open(options)?.build(&run, &observer),
        }
    }

    /// Says how a turn ended, and whether there is another one.
    fn report(
        &self,
        job: &JobDocument,
        options: &Options,
        ended: Result<BuildReport, ProjectError>,
        turn: &Turn,
    ) -> Result<JobReport, EndpointError> {
        let now = self.clock.peek();
        let mut report = JobReport {
            job: job.job.clone(),
            project: job.project.clone(),
            build: None,
            state: JobState::Ended,
            status: None,
            at: Some(now),
            next: None,
            error: None,
            exit_code: None,
        };
        match ended {
            Ok(ended) => {
                report.build = Some(ended.build.to_string());
                if ended.waiting && !turn.is_cancelled() {
                    report.state = JobState::Waiting;
                    report.next = Some(after(now, job.poll()));
                } else {
                    report.exit_code = Some(ended.status.exit_code().code());
                }
                report.status = Some(ended.status.status.into_owned());
            }
            Err(ProjectError::Interrupted { .. }) if !turn.is_cancelled() => return Err(stopping()),
            // Whoever cancels it waits for the end of this turn, and records it.
            Err(ProjectError::Interrupted { build, .. }) => {
                report.build = Some(build.to_string());
                report.status = Some("cancelled".to_owned());
                report.exit_code = Some(ExitCode::Failure.code());
            }
            Err(error) => {
                let known = known_build(job, options).ok().flatten();
                if let Some(known) = known.and_then(|(row, _)| recorded_report(options, &row).ok())
                {
                    report.build = Some(known.build.to_string());
                    report.status = Some(known.status.status.into_owned());
                }
                if may_pass(error.kind()) && !turn.is_cancelled() {
                    report.state = JobState::Waiting;
                    report.next = Some(after(now, job.poll().max(MIN_PAUSE_AFTER_ERROR)));
                } else {
                    report.exit_code = Some(error.exit_code().code());
                }
                report.error = Some(error.view());
            }
        }
        Ok(report)
    }
}

/// Returns the build that an earlier turn of the job has opened or resumed, or else the one that the job is to resume; and
/// whether it is the former.
fn known_build(
    job: &JobDocument,
    options: &Options,
) -> Result<Option<(BuildRow, bool)>, ProjectError> {
    let reader = match open_reader(options) {
        Ok(reader) => reader,
        Err(ProjectError::Store(StoreError::Absent { .. })) if job.resume.is_none() => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if let Some(row) = reader.build_of_job(&job.job)? {
        return Ok(Some((row, true)));
    }
    let resumed = job.resume.as_deref();
    let resumed = resumed.map(|build| find_build(&reader, build)).transpose();
    Ok(resumed?.map(|row| (row, false)))
}

/// Returns the report of a build as it is on record.
fn recorded_report(options: &Options, row: &BuildRow) -> Result<BuildReport, ProjectError> {
    let status = synix_project::status(options, Some(&row.id.to_string()))?;
    Ok(BuildReport {
        build: row.id,
        waiting: status.is_open(),
        status,
    })
}

/// Returns whether an error may pass without the user.
fn may_pass(kind: ErrorKind) -> bool {
    [
        ErrorKind::BUSY,
        ErrorKind::DISK_FULL,
        ErrorKind::ENGINE,
        ErrorKind::FETCH,
        ErrorKind::SHARED,
        ErrorKind::SYSTEM,
    ]
    .contains(&kind)
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    Timestamp(now.0.saturating_add(pause))
}

/// The turn runs again when the service has started again.
fn stopping() -> EndpointError {
    EndpointError::Transient("the service is stopping".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_has_to_mend_does_not_pass() {
        for kind in [ErrorKind::BUDGET, ErrorKind::UNTRUSTED, ErrorKind::PIPELINE] {
            assert!(!may_pass(kind), "{kind}");
        }
        assert!(may_pass(ErrorKind::DISK_FULL));
    }
}
