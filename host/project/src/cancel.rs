//! Cancels a batch build and its batches at the providers.

use super::context::{Options, ProjectContext};
use super::execute::{build_report, runtime};
use super::reading::{choose_build, reread_build};
use super::{BuildReport, ProjectError, RunOptions};
use synix_engine::batch::{self, BatchEvent};
use synix_engine::build::{BuildError, Event, Observer, WaitPolicy};
use synix_store::{AnswerOrigin, BuildRow, Reader};

/// Cancels a batch build: its batches at the provider, and the requests that were not sent yet.
pub fn cancel(
    options: &Options,
    build: Option<&str>,
    observer: Observer<'_>,
) -> Result<BuildReport, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    context.require_own_state()?;
    let store = context.store()?;
    let row = choose_build(&store, build)?;
    // Batches cost money, so a changed lock file must not prevent their cancellation.
    let project = context.project_of(
        &row,
        &Options {
            locked: Some(false),
            ..options.clone()
        },
    )?;
    project.require_permissions()?;
    project.report_lock_changes(observer);
    refuse_if_settled(&store, &row)?;
    let lock = project.lock(&store, row.id)?;
    // The process that held the lock until now may have completed the build.
    let row = reread_build(&store, row.id)?;
    refuse_if_settled(&store, &row)?;
    let (providers, missing) = project.providers()?;
    for submission in store.unsettled_submissions()? {
        if let (true, Some(variable)) = (
            submission.build == row.id,
            missing.get(&submission.provider),
        ) {
            return Err(BuildError::MissingKey {
                provider: submission.provider,
                variable: variable.clone(),
            }
            .into());
        }
    }
    let on_event = |event: &BatchEvent| observer(&Event::Batch(event.clone()));
    let settings = project.batch_settings(&RunOptions::new(WaitPolicy::PollOnce));
    let mut batches = batch::Batches::new(batch::BatchContext {
        store: &store,
        build: row.id,
        providers: &providers,
        settings,
        clock: &project.context.clock,
        observer: &on_event,
    });
    runtime()?
        .block_on(batches.cancel(row.id))
        .map_err(BuildError::from)?;
    store.write(|tx| tx.cancel_build(row.id, project.context.clock.peek()))?;
    drop(lock);
    let report = build_report(&store, row.id, &project.prices)?;
    project.run_on_done(
        &report.status,
        row.answer_origin != AnswerOrigin::Live,
        observer,
    )?;
    Ok(report)
}

/// Refuses a build in which nothing is left to cancel.
fn refuse_if_settled(store: &Reader, row: &BuildRow) -> Result<(), ProjectError> {
    let has_batches = store
        .unsettled_submissions()?
        .iter()
        .any(|submission| submission.build == row.id);
    // A provider may have refused the first cancellation; its batch continues and is billed.
    if row.closed.is_none() && (!row.cancelled || has_batches) {
        return Ok(());
    }
    let status = if row.cancelled {
        "cancelled"
    } else {
        "completed"
    };
    let build = row.id;
    Err(BuildError::Ended { build, status }.into())
}
