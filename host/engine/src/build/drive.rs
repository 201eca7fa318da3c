//! Drives one build from where it stands to its end, or as far as answers reach.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::BuildError;
use super::answerer::Answerer;
use super::budget::Budget;
use super::event::{Event, Observer};
use super::journal::Journal;
use super::layers::{ReadyBody, ReadyPipeline};
use super::live::{Live, WaitPolicy};
use super::modes::Modes;
use super::pool::Pool;
use super::recall::Known;
use super::replay::Replay;
use super::scheduler::{Scheduler, Site};
use super::sync::{Providers, SyncCalls, close_orphans, take_over_orphans};
use crate::batch::{BatchContext, BatchSettings, Batches};
use synix_core::clock::Clock;
use synix_core::request::FailureKind;
use synix_prices::{Amount, Prices};
use synix_providers::Cassette;
use synix_sources::ProjectFolder;
use synix_store::{BuildId, BuildKind, Reader, Realm, Retry, Store, UnitId};

/// What every build and plan of a project needs.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    /// The pipeline.
    pub pipeline: &'a ReadyPipeline,
    /// The project's folder.
    pub folder: &'a ProjectFolder,
    /// A cassette to replay; `None`: live.
    pub replay: Option<&'a Arc<Cassette>>,
    /// The time.
    pub clock: &'a Clock,
    /// What models cost.
    pub prices: &'a Prices,
}

/// How a build is driven.
#[derive(Debug, Clone)]
pub struct Drive<'a> {
    /// Where to go to for answers; unused in a replay.
    pub providers: &'a Providers,
    /// How batches are driven.
    pub batches: BatchSettings,
    /// Providers without their credential, and the variable that should hold it.
    pub missing_keys: &'a BTreeMap<String, String>,
    /// Sync calls at a time, at most.
    pub concurrency: NonZero<usize>,
    /// How long to wait for what is in flight.
    pub wait_policy: WaitPolicy,
    /// Whether to build from what there is where inputs failed.
    pub allow_partial: bool,
    /// Which command this is.
    pub kind: BuildKind,
    /// The kinds of failure that are asked again although they were paid for.
    pub retry_failed: BTreeSet<FailureKind>,
    /// What the build may cost at most.
    pub budget: Option<Amount>,
    /// Ends the build with [`BuildError::Interrupted`] as soon as the calls on their way have come to their end.
    /// Guests are for whoever has their sandbox to stop.
    pub interrupt: CancellationToken,
}

/// How far a build came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Driven {
    /// Whether every unit is settled.
    pub complete: bool,
}

impl Desk<'_> {
    pub(super) fn realm(&self) -> Realm {
        self.replay
            .map_or(Realm::Live, |cassette| Realm::Replay(cassette.digest()))
    }

    fn known(&self) -> Known {
        self.replay.map_or(Known::Store, |cassette| {
            Known::Cassette(Arc::clone(cassette))
        })
    }

    pub(super) fn pool(&self, reader: Option<&Reader>) -> Result<Pool, BuildError> {
        let workers = std::thread::available_parallelism().map_or(2, NonZero::get);
        Ok(Pool::start(
            workers,
            &self.known(),
            reader,
            &self.pipeline.roles,
        )?)
    }
}

/// Drives `build`, whose lock the caller holds, until it is complete or can go no further.
pub async fn drive(
    desk: Desk<'_>,
    drive: Drive<'_>,
    store: &Store,
    build: BuildId,
    observer: Observer<'_>,
) -> Result<Driven, BuildError> {
    observer(&Event::Build {
        build: build.to_string(),
    });
    let realm = desk.realm();
    // Nothing of this process is in flight yet: what the build has open is an earlier one's.
    close_orphans(store, build, observer)?;
    take_over_orphans(store, build, observer)?;
    let retry = Retry {
        kinds: drive.retry_failed.clone(),
        until: store.newest_attempt()?,
    };
    store.write(|tx| {
        tx.clear_build_units(build)?;
        tx.keep_build_error(build, None)
    })?;
    let mut modes = match drive.kind {
        BuildKind::Build => Modes::all_sync(desk.pipeline),
        BuildKind::Batch => Modes::by_layer(desk.pipeline),
    };
    modes.restore(&store.build_layers(build)?, desk.pipeline);
    let journal = Journal {
        store,
        build,
        realm,
        clock: desk.clock,
    };
    let site = Site {
        pipeline: desk.pipeline,
        folder: desk.folder,
        reader: Some(store),
        journal: Some(journal),
        realm,
        allow_partial: drive.allow_partial,
        observer,
    };
    let pool = desk.pool(Some(store))?;
    match desk.replay {
        Some(cassette) => finish(site, Replay::new(Arc::clone(cassette), modes), pool).await,
        None => {
            let tell = |event: &_| observer(&Event::Batch(Clone::clone(event)));
            let settings = BatchSettings {
                retry: retry.clone(),
                ..drive.batches.clone()
            };
            let calls = SyncCalls::new(
                store,
                build,
                settings.layers.clone(),
                drive.providers,
                drive.concurrency.get(),
                retry,
            );
            let batches = Batches::new(BatchContext {
                store,
                build,
                providers: drive.providers,
                settings,
                clock: desk.clock,
                observer: &tell,
            });
            let budget = Budget::new(store, build, desk.prices, drive.budget);
            finish(
                site,
                Live::new(
                    calls,
                    batches,
                    budget,
                    modes,
                    above(desk.pipeline),
                    &drive,
                    observer,
                ),
                pool,
            )
            .await
        }
    }
}

/// Returns for each layer those it is made from, however far above, and itself.
fn above(pipeline: &ReadyPipeline) -> Vec<BTreeSet<usize>> {
    let mut above: Vec<BTreeSet<usize>> = Vec::with_capacity(pipeline.layers.len());
    for (position, layer) in pipeline.layers.iter().enumerate() {
        let mut own = BTreeSet::from([position]);
        if let ReadyBody::Transform(transform) = &layer.body {
            for input in &transform.inputs {
                // Inputs stand before those who use them.
                own.extend(above.get(*input).into_iter().flatten());
            }
        }
        above.push(own);
    }
    above
}

async fn finish<A: Answerer>(
    site: Site<'_>,
    answerer: A,
    pool: Pool,
) -> Result<Driven, BuildError> {
    let mut scheduler = Scheduler::new(site, answerer)?;
    scheduler.run(pool).await?;
    let complete = scheduler.is_complete();
    if let (true, Some(journal)) = (complete, site.journal) {
        let layers: Vec<(String, Vec<UnitId>)> = scheduler
            .layers
            .iter_mut()
            .zip(&site.pipeline.layers)
            .map(|(run, layer)| {
                run.made.sort();
                (
                    layer.name.to_string(),
                    run.made.iter().filter_map(|(_, unit)| *unit).collect(),
                )
            })
            .collect();
        let now = journal.now();
        journal.store.write(|tx| {
            tx.take_snapshot(journal.build, &site.pipeline.file, &layers, now)?;
            tx.close_build(journal.build, Some(now))
        })?;
    }
    Ok(Driven { complete })
}
