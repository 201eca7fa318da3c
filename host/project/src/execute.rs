//! Runs a build: opens the state, takes the lock of the build, answers its requests and records it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::context::CassetteMode;
use super::interrupt::{interrupted_error, stop_on_interrupt};
use super::spending::SpendingReporter;
use super::{BuildReport, Project, ProjectError, RunOptions};
use synix_engine::build::{
    self, BuildContext, BuildError, BuildOptions, Event, Observer, Providers, Trial,
};
use synix_engine::view::{ErrorView, Status, expectations};
use synix_prices::Prices;
use synix_providers::Cassette;
use synix_store::{BuildId, BuildKind, BuildStep, Store};

/// A build whose lock this process holds.
pub(super) struct LockedBuild<'a> {
    pub(super) store: &'a Store,
    pub(super) id: BuildId,
    pub(super) kind: BuildKind,
    /// The cassette that answers its requests; `None` for a live build.
    pub(super) cassette: Option<&'a Arc<Cassette>>,
    /// What it tries; `None` for a build of the whole pipeline.
    pub(super) trial: Option<Trial>,
}

impl Project {
    pub(super) fn start(
        &self,
        kind: BuildKind,
        run: &RunOptions,
        observer: Observer<'_>,
    ) -> Result<BuildReport, ProjectError> {
        self.check_recording()?;
        if let Some(lock) = &self.unwritten_lock {
            self.context.write_lock(lock)?;
        }
        let cassette = self.replay()?;
        if cassette.is_none() {
            self.require_permissions()?;
        }
        self.check_selection(cassette.as_ref())?;
        let (store, lost) = self.state(run.reset_state)?;
        let new = self.build_context(cassette.as_ref(), None).new_build(kind);
        let (id, trial, lock) = store.write(|tx| {
            let id = tx.open_build(&new)?;
            let trial = match &self.trial {
                Some(trial) => {
                    let record = self.trial_record(trial, tx)?;
                    tx.set_build_trial(id, &serde_json::to_string(&record).unwrap_or_default())?;
                    Some(trial.named(record.name))
                }
                None => None,
            };
            if let Some(job) = &run.job {
                tx.add_build_job(id, &job.id)?;
            }
            // In the same transaction: another process may take over a build that nobody has locked.
            let lock = self.lock(&store, id)?;
            if let Some(lost) = &lost {
                tx.abandon_lost_batches(id, lost, new.opened)?;
            }
            Ok::<_, ProjectError>((id, trial, lock))
        })?;
        let build = LockedBuild {
            store: &store,
            id,
            kind,
            cassette: cassette.as_ref(),
            trial,
        };
        if let Some(lost) = &lost {
            store.finish_reset()?;
            self.abandon(&build, lost, observer)?;
        }
        let report = self.run_build(&build, run, observer);
        drop(lock);
        report
    }

    /// Runs a build until it is complete or waits for answers, or the user interrupts it, and reports it.
    pub(super) fn run_build(
        &self,
        build: &LockedBuild<'_>,
        run: &RunOptions,
        observer: Observer<'_>,
    ) -> Result<BuildReport, ProjectError> {
        let telemetry = self.telemetry(build, observer);
        let result = self.drive_build(build, run, &|event| {
            observer(event);
            telemetry.observe(event);
        });
        telemetry.finish(&result, self.context.clock.peek());
        result
    }

    fn drive_build(
        &self,
        build: &LockedBuild<'_>,
        run: &RunOptions,
        observer: Observer<'_>,
    ) -> Result<BuildReport, ProjectError> {
        self.report_lock_changes(observer);
        for message in self.warnings() {
            observer(&Event::Warning { message });
        }
        let &LockedBuild { store, id, .. } = build;
        let is_replay = build.cassette.is_some();
        let (providers, missing_keys) = if is_replay {
            Default::default()
        } else {
            self.providers()?
        };
        let mut options = self.build_options(build.kind, run, &providers, &missing_keys);
        if !is_replay {
            options.shared = self.shared_answers()?;
        }
        options.engine = self.unit_engine(is_replay)?;
        let leave = CancellationToken::new();
        let runtime = runtime()?;
        // A separate task, because a guest that divides its inputs blocks the thread that runs the build.
        runtime.spawn(stop_on_interrupt(
            self.context.stop.clone(),
            self.interruption.clone(),
            // A replay has no calls whose answers could be lost.
            (!is_replay).then(|| options.interrupt.clone()),
            leave.clone(),
        ));
        let spending = SpendingReporter::new(store, id, &self.prices, observer);
        let observe = |event: &Event| {
            observer(event);
            spending.observe(event);
        };
        let span = tracing::info_span!("build", id = %id);
        let context = self.build_context(build.cassette, build.trial.as_ref());
        let is_trial = build.trial.is_some();
        let running = async {
            tokio::select! {
                result = build::run(context, options, store, id, &observe) => Some(result),
                () = leave.cancelled() => None,
            }
        };
        let outcome = runtime.block_on(running.instrument(span));
        drop(runtime);
        // The caller may build this project again.
        self.interruption.resume();
        match outcome {
            Some(Ok(end)) => {
                if end.complete && !is_replay {
                    record_forecast(store, id)?;
                }
            }
            None | Some(Err(BuildError::Interrupted)) => {
                let now = self.context.clock.peek();
                return Err(interrupted_error(store, id, (build.kind, is_trial), now)?);
            }
            Some(Err(error)) => {
                let view = ErrorView::of(error.kind(), error.hint(), &error);
                // If another error follows, the first one is still the one to report.
                let stored = store.write(|tx| {
                    tx.set_build_error(id, Some(&view.to_json()))?;
                    tx.add_build_step(id, BuildStep::Stopped, self.context.clock.peek())
                });
                if let (Ok(()), Ok(status), false) =
                    (stored, Status::of(store, id, &self.prices), is_trial)
                {
                    self.run_on_done(&status, is_replay, observer)?;
                }
                return Err(error.into());
            }
        }
        let recorded = if self.context.cassette_mode == CassetteMode::Record {
            self.record(store, build.trial.as_ref())
        } else {
            Ok(())
        };
        let report = build_report(store, id, &self.prices)?;
        tracing::info!(build = %id, status = %report.status.status, "the build has ended or waits for answers");
        // The command may publish the newest snapshot, which a trial does not change.
        if !report.waiting && !is_trial {
            self.run_on_done(&report.status, is_replay, observer)?;
        }
        recorded?;
        Ok(report)
    }

    pub(super) fn build_options<'a>(
        &self,
        kind: BuildKind,
        run: &RunOptions,
        providers: &'a Providers,
        missing_keys: &'a BTreeMap<String, String>,
    ) -> BuildOptions<'a> {
        BuildOptions {
            providers,
            batches: self.batch_settings(run),
            missing_keys,
            concurrency: self.context.concurrency,
            wait_policy: run.wait_policy,
            allow_partial: run.allow_partial,
            kind,
            retry_failed: run.retry_failed.clone(),
            shared: None,
            engine: None,
            budget: match (run.budget.or_else(|| self.budget()), run.max_budget) {
                (Some(budget), Some(most)) => Some(budget.min(most)),
                (budget, most) => budget.or(most),
            },
            interrupt: CancellationToken::new(),
        }
    }

    pub(super) fn build_context<'a>(
        &'a self,
        replay: Option<&'a Arc<Cassette>>,
        trial: Option<&'a Trial>,
    ) -> BuildContext<'a> {
        BuildContext {
            trial,
            pipeline: &self.ready,
            folder: &self.folder,
            replay,
            clock: &self.context.clock,
            prices: &self.prices,
            rehash: self.context.rehash,
            interruption: &self.interruption,
        }
    }
}

/// Returns a runtime whose threads log to where this thread does.
pub fn runtime() -> Result<tokio::runtime::Runtime, ProjectError> {
    // The threads of the runtime log to where this thread does.
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(move || {
            // The guard must live as long as the thread.
            std::mem::forget(tracing::dispatcher::set_default(&dispatch));
        })
        .enable_all()
        .build()
        .map_err(|source| ProjectError::System { source })
}

/// Records what the complete build expected of its answers.
fn record_forecast(store: &Store, build: BuildId) -> Result<(), ProjectError> {
    if let Some(expected) = expectations(store, build)? {
        store.write(|tx| tx.set_build_forecast(build, &expected))?;
    }
    Ok(())
}

pub(super) fn build_report(
    store: &Store,
    build: BuildId,
    prices: &Prices,
) -> Result<BuildReport, ProjectError> {
    let status = Status::of(store, build, prices)?;
    let waiting = store
        .build(build)?
        .is_some_and(|build| build.closed.is_none());
    Ok(BuildReport {
        build,
        status,
        waiting,
    })
}
