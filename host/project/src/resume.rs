//! Resumes a batch build with the pipeline that it was started with (L2).

use super::build_cassette::answer_source;
use super::context::{Options, ProjectContext};
use super::execute::LockedBuild;
use super::reading::{choose_build, reread_build};
use super::trial::TrialRecord;
use super::{BuildReport, Project, ProjectError, RunOptions};
use synix_engine::build::{BuildError, Observer, Trial};
use synix_engine::view::Status;
use synix_prices::Prices;
use synix_store::{AnswerOrigin, BuildRow, BuildStep, Reader, StoreError};

/// Continues a batch build: the one that the user names, or the newest.
pub fn resume(
    options: &Options,
    build: Option<&str>,
    run: &RunOptions,
    observer: Observer<'_>,
) -> Result<BuildReport, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    context.require_own_state()?;
    let store = match context.store() {
        // The builds are lost with the state, so the pipeline starts over in a new one.
        Err(ProjectError::Store(StoreError::Damaged { .. })) if run.reset_state => {
            return Project::open(options)?.run_batch(run, observer);
        }
        other => other?,
    };
    let row = choose_build(&store, build)?;
    refuse_if_ended(&store, &row)?;
    let project = context.project_of(&row, options)?;
    project.check_recording()?;
    let cassette = project.replay()?;
    if cassette.is_none() {
        project.require_permissions()?;
    }
    if (row.answer_origin == AnswerOrigin::Live) != cassette.is_none() {
        return Err(BuildError::AnswerSourceMismatch {
            build: row.id,
            opened: source_name(row.answer_origin),
            now: source_name(answer_source(cassette.as_ref())),
        }
        .into());
    }
    let lock = project.lock(&store, row.id)?;
    // The process that held the lock until now may have completed the build.
    let row = reread_build(&store, row.id)?;
    refuse_if_ended(&store, &row)?;
    project.accept_pipeline_of(&store, &row, run.allow_mismatch)?;
    let trial = TrialRecord::of(&row)?;
    store.write(|tx| {
        if let Some(record) = &trial {
            context.refuse_running_trial(tx, &record.name, Some(row.id))?;
        }
        tx.close_build(row.id, None)?;
        let job = run.job.as_ref();
        if let Some(job) = job.filter(|job| job.begins) {
            tx.add_build_job(row.id, &job.id)?;
        }
        // A build that waited for the next turn of its job was not interrupted.
        let has_waited = job.is_some_and(|job| !job.begins) && row.error.is_none();
        if !has_waited {
            tx.add_build_step(row.id, BuildStep::Resumed, project.context.clock.peek())?;
        }
        Ok::<_, ProjectError>(())
    })?;
    let locked = LockedBuild {
        store: &store,
        id: row.id,
        kind: row.kind,
        cassette: cassette.as_ref(),
        trial: trial.map(|record| Trial {
            name: record.name,
            selection: record.selection,
        }),
    };
    let report = project.run_build(&locked, run, observer);
    drop(lock);
    report
}

impl Project {
    /// Refuses a build of another pipeline, or records that it continues with this one.
    fn accept_pipeline_of(
        &self,
        store: &synix_store::Store,
        row: &BuildRow,
        allow_mismatch: bool,
    ) -> Result<(), ProjectError> {
        let parts = &self.ready.parts;
        if !parts.has_fingerprint(row.fingerprint) && !allow_mismatch {
            return Err(BuildError::PipelineMismatch {
                build: row.id,
                changes: parts.changes_since(&row.parts),
            }
            .into());
        }
        // The fingerprints of one pipeline differ if an earlier version of synix started the build.
        if row.fingerprint != self.ready.fingerprint {
            let parts = serde_json::to_string(parts).unwrap_or_default();
            store.write(|tx| tx.set_build_fingerprint(row.id, self.ready.fingerprint, &parts))?;
        }
        Ok(())
    }
}

const fn source_name(source: AnswerOrigin) -> &'static str {
    match source {
        AnswerOrigin::Live => "live",
        AnswerOrigin::Replay(_) => "from a cassette",
    }
}

/// Refuses a build that is cancelled or complete.
fn refuse_if_ended(store: &Reader, row: &BuildRow) -> Result<(), ProjectError> {
    let status = if row.cancelled {
        "cancelled"
    } else if Status::of(store, row.id, &Prices::default())?.status == "completed" {
        "completed"
    } else {
        return Ok(());
    };
    let build = row.id;
    Err(BuildError::Ended { build, status }.into())
}
