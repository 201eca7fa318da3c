//! Drives one build from where it stands to its end, or as far as answers reach.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZero;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::BuildError;
use super::answerer::Answerer;
use super::budget::Budget;
use super::dry::DryRun;
use super::event::{Event, Observer};
use super::journal::Journal;
use super::layers::{ReadyBody, ReadyPipeline};
use super::live::{Live, Patience};
use super::modes::Modes;
use super::pool::Pool;
use super::recall::Known;
use super::replay::Replay;
use super::scheduler::{Scheduler, Site};
use super::sync::{Providers, SyncCalls, take_over_orphans};
use crate::batch::{BatchSettings, Batches};
use crate::clock::Clock;
use crate::fingerprint::StaleReason;
use crate::llm::Cassette;
use crate::plan::{Plan, PlanLayer, PlanUnit};
use crate::plugin::Shape;
use crate::price::{Amount, Forecast, Prices};
use crate::source::ProjectFolder;
use crate::store::{BuildId, BuildKind, LayerMode, Reader, Realm, Store, UnitId};

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
    pub patience: Patience,
    /// Whether to build from what there is where inputs failed.
    pub allow_partial: bool,
    /// Which command this is.
    pub kind: BuildKind,
    /// What the build may cost at most.
    pub budget: Option<Amount>,
    /// Ends the build with [`BuildError::Interrupted`] as soon as the calls on their way have come to their end.
    pub interrupt: CancellationToken,
}

/// How far a build came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Driven {
    /// Whether every unit is settled.
    pub complete: bool,
}

impl Desk<'_> {
    fn realm(&self) -> Realm {
        self.replay
            .map_or(Realm::Live, |cassette| Realm::Replay(cassette.digest()))
    }

    fn known(&self) -> Known {
        self.replay.map_or(Known::Store, |cassette| {
            Known::Cassette(Arc::clone(cassette))
        })
    }

    fn pool(&self, reader: Option<&Reader>) -> Result<Pool, BuildError> {
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
    take_over_orphans(store, build, observer)?;
    store.write(|| {
        store.clear_build_units(build)?;
        store.keep_build_error(build, None)
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
            let settings = drive.batches.clone();
            let calls = SyncCalls::new(
                store,
                build,
                settings.layers.clone(),
                drive.providers,
                drive.concurrency.get(),
            );
            let batches = Batches::new(store, build, drive.providers, settings, desk.clock, &tell);
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
        journal.store.write(|| {
            journal
                .store
                .take_snapshot(journal.build, &site.pipeline.file, &layers, now)?;
            journal.store.close_build(journal.build, Some(now))
        })?;
    }
    Ok(Driven { complete })
}

/// Finds out what a build would do. Writes nothing and sends nothing.
pub async fn plan(
    desk: Desk<'_>,
    kind: BuildKind,
    reader: Option<&Reader>,
) -> Result<Plan, BuildError> {
    let modes = match kind {
        BuildKind::Build => Modes::all_sync(desk.pipeline),
        BuildKind::Batch => Modes::by_layer(desk.pipeline),
    };
    let site = Site {
        pipeline: desk.pipeline,
        folder: desk.folder,
        reader,
        journal: None,
        realm: desk.realm(),
        allow_partial: false,
        observer: &|_| {},
    };
    let mut scheduler = Scheduler::new(site, DryRun::new(reader, modes, desk.prices))?;
    scheduler.run(desk.pool(reader)?).await?;
    describe(&mut scheduler)
}

fn describe(scheduler: &mut Scheduler<'_, DryRun<'_>>) -> Result<Plan, BuildError> {
    let mut exact = Vec::with_capacity(scheduler.layers.len());
    for position in 0..scheduler.layers.len() {
        // Units that wait for answers may have more below them; those are not known yet.
        exact.push(scheduler.layers[position].spawned);
        if !scheduler.layers[position].spawned {
            foresee(scheduler, position)?;
        }
    }
    let site = scheduler.site;
    let mut unpriced = BTreeSet::new();
    let nothing = Forecast::default();
    let layers = exact
        .into_iter()
        .enumerate()
        .map(|(position, exact)| {
            let layer = &site.pipeline.layers[position];
            let mode = match &layer.body {
                ReadyBody::Source { .. } => "source",
                ReadyBody::Transform(transform) if !transform.grants_llm => "none",
                ReadyBody::Transform(_) => scheduler
                    .answerer
                    .mode(position)
                    .map_or("auto", LayerMode::name),
            };
            let asking = scheduler.answerer.asking.get(&position);
            let requests = asking.map_or(0, |asking| asking.requests);
            let forecast = asking.map_or(&nothing, |asking| {
                asking.forecast(scheduler.answerer.mode(position))
            });
            unpriced.extend(forecast.unpriced.iter().map(ToString::to_string));
            let run = &mut scheduler.layers[position];
            run.stale_units
                .sort_by(|left, right| left.unit.cmp(&right.unit));
            PlanLayer {
                name: layer.name.to_string(),
                allow_hidden: layer.allow_hidden,
                mode,
                units: run.fresh + run.stale,
                stale: run.stale,
                requests,
                exact,
                input_tokens: forecast.input_tokens,
                input_tokens_estimated: forecast.input_estimated,
                output_tokens_max: forecast.output_tokens,
                cost_usd: forecast.most,
                cost_usd_min: forecast.least,
                stale_units: std::mem::take(&mut run.stale_units),
                failures: std::mem::take(&mut run.failures),
            }
        })
        .collect();
    Ok(Plan {
        layers,
        unpriced: unpriced.into_iter().collect(),
    })
}

/// Adds the units that must follow from stale ones above, as far as they can be named.
fn foresee(scheduler: &mut Scheduler<'_, DryRun<'_>>, layer: usize) -> Result<(), BuildError> {
    let transform = scheduler.transform(layer);
    let name = scheduler.layer_name(layer);
    let stale_above: Vec<(String, String)> = transform
        .inputs
        .iter()
        .filter(|input| !scheduler.layers[**input].complete)
        .flat_map(|input| {
            let above = scheduler.layer_name(*input).to_owned();
            let run = &scheduler.layers[*input];
            let made: HashSet<&str> = run.made.iter().map(|(key, _)| key.as_str()).collect();
            run.stale_units
                .iter()
                .filter(|unit| !made.contains(unit.unit.as_str()))
                .map(|unit| (above.clone(), unit.unit.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    let mut units = Vec::new();
    if transform.plugin.descriptor().shape == Shape::PerInput {
        for (above, key) in &stale_above {
            let mut labels = scheduler.previous.labels(above, key)?;
            if labels.is_empty() {
                labels.push(key.clone());
            }
            for label in labels {
                let unit = if transform.inputs.len() == 1 {
                    label.clone()
                } else {
                    format!("{above}/{label}")
                };
                let reasons = vec![StaleReason::InputStale {
                    input: format!("{above}/{label}"),
                }];
                units.push(PlanUnit { unit, reasons });
            }
        }
    } else {
        let mut keys = scheduler.previous.keys(name)?;
        if keys.is_empty() {
            keys.push(name.to_owned());
        }
        let mut reasons = Vec::new();
        for (above, key) in &stale_above {
            let labels = scheduler.previous.labels(above, key)?;
            let names = if labels.is_empty() {
                vec![key.clone()]
            } else {
                labels
            };
            reasons.extend(names.into_iter().map(|name| StaleReason::InputStale {
                input: format!("{above}/{name}"),
            }));
        }
        units.extend(keys.into_iter().map(|unit| PlanUnit {
            unit,
            reasons: reasons.clone(),
        }));
    }
    let run = &mut scheduler.layers[layer];
    run.stale += units.len() as u64;
    run.stale_units.extend(units);
    Ok(())
}
