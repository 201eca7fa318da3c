//! Runs a build until it is complete or gets no further answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::BuildError;
use super::answerer::Answerer;
use super::budget::Budget;
use super::event::{Event, Observer};
use super::file_digests::Reread;
use super::layers::ReadyPipeline;
use super::modes::Modes;
use super::options::{BuildContext, BuildOptions};
use super::pool::Pool;
use super::provider_answerer::{AnswererParts, ProviderAnswerer};
use super::recorder::Recorder as _;
use super::replay::Replay;
use super::scheduler::{Scheduler, SchedulerContext};
use super::shared::SharedStage;
use super::store_recorder::StoreRecorder;
use super::sync::{SyncCalls, close_orphaned_sends, take_over_orphans};
use crate::batch::{BatchContext, BatchSettings, Batches};
use synix_core::request::FailureKind;
use synix_store::{BuildId, BuildKind, RetrySelection, Store};

/// The result of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildEnd {
    /// Whether every unit is settled.
    pub complete: bool,
}

/// Runs `build`, whose lock the caller holds, until it is complete or can get no further answers.
pub async fn run(
    build_context: BuildContext<'_>,
    options: BuildOptions<'_>,
    store: &Store,
    build: BuildId,
    observer: Observer<'_>,
) -> Result<BuildEnd, BuildError> {
    observer(&Event::Build {
        build: build.to_string(),
    });
    let answer_origin = build_context.answer_origin();
    // This process has nothing in flight yet, so the open sends of the build belong to an earlier one.
    let now = build_context.clock.peek();
    close_orphaned_sends(store, build, now, observer)?;
    take_over_orphans(store, build, now, observer)?;
    let retry = RetrySelection::from_now(store, options.retry_failed.clone())?;
    store.write(|tx| {
        tx.clear_build_units(build)?;
        tx.set_build_error(build, None)
    })?;
    let mut modes = match options.kind {
        BuildKind::Build => Modes::all_sync(build_context.pipeline),
        BuildKind::Batch => Modes::by_layer(build_context.pipeline),
    };
    modes.restore(&store.build_layers(build)?, build_context.pipeline);
    let recorder = StoreRecorder {
        store,
        build,
        trial: build_context.trial.map(|trial| trial.name.as_str()),
        answer_origin,
        clock: build_context.clock,
    };
    let context = SchedulerContext {
        pipeline: build_context.pipeline,
        folder: build_context.folder,
        reader: Some(store),
        answer_origin,
        allow_partial: options.allow_partial,
        selection: build_context.trial.map(|trial| &trial.selection),
        reread: Reread {
            unchanged: build_context.rehash,
            failed: options.retry_failed.contains(&FailureKind::Guest),
        },
        interruption: build_context.interruption,
        observer,
    };
    let pool = build_context.pool(
        Some(store),
        retry.clone(),
        options
            .engine
            .as_ref()
            .map(|engine| (engine, &options.interrupt)),
    )?;
    match build_context.replay {
        Some(cassette) => {
            let answerer = Replay::new(store, Arc::clone(cassette), modes);
            run_scheduler(Scheduler::new(context, recorder, answerer)?, pool).await
        }
        None => {
            let report = |event: &_| observer(&Event::Batch(Clone::clone(event)));
            let settings = BatchSettings {
                retry: retry.clone(),
                ..options.batches.clone()
            };
            let clock = build_context.clock;
            let shared = options.shared.clone();
            let shared = shared
                .map(|client| SharedStage::open(client, store, build, clock, observer))
                .transpose()?;
            let parts = AnswererParts {
                calls: SyncCalls::new(store, build, clock, &options, retry),
                shared,
                batches: Batches::new(BatchContext {
                    store,
                    build,
                    providers: options.providers,
                    settings,
                    clock: build_context.clock,
                    observer: &report,
                }),
                budget: Budget::new(store, build, build_context.prices, options.budget),
            };
            let upstream = upstream_of(build_context.pipeline);
            let answerer = ProviderAnswerer::new(parts, modes, upstream, &options, observer);
            run_scheduler(Scheduler::new(context, recorder, answerer)?, pool).await
        }
    }
}

/// Returns, for each layer, itself and all upstream layers.
fn upstream_of(pipeline: &ReadyPipeline) -> Vec<BTreeSet<usize>> {
    let mut upstream: Vec<BTreeSet<usize>> = Vec::with_capacity(pipeline.layers.len());
    for (position, layer) in pipeline.layers.iter().enumerate() {
        let mut own = BTreeSet::from([position]);
        if let Some(transform) = layer.body.transform() {
            for input in &transform.inputs {
                // Upstream layers come first.
                own.extend(upstream.get(*input).into_iter().flatten());
            }
        }
        upstream.push(own);
    }
    upstream
}

async fn run_scheduler<A: Answerer>(
    mut scheduler: Scheduler<'_, A>,
    pool: Pool,
) -> Result<BuildEnd, BuildError> {
    let end = scheduler.run(pool).await;
    // An error of the build itself is the one to report.
    let finished = scheduler.answerer.finish().await;
    end.and(finished)?;
    let complete = scheduler.is_complete();
    if complete {
        let pipeline = scheduler.context.pipeline;
        let layers = scheduler.take_snapshot_layers()?;
        scheduler.recorder.complete(&pipeline.file, &layers)?;
    }
    Ok(BuildEnd { complete })
}
