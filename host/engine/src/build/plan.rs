//! Plans a build: runs the scheduler with a recorder and an answerer that only take notes.
//!
//! Units that run are counted. Units that depend on unknown answers are predicted from the last build. A
//! prediction is a guess and is never mixed with a count.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::BuildError;
use super::answerer::Answerer as _;
use super::file_digests::Reread;
use super::modes::Modes;
use super::options::BuildContext;
use super::plan_answerer::PlanAnswerer;
use super::plan_recorder::PlanRecorder;
use super::prediction::{Prediction, predict};
use super::replay::CassetteMisses;
use super::scheduler::{Scheduler, SchedulerContext};
use super::trial::Selection;
use crate::plan::{Plan, PlanLayer, PlanRepairs, PlanTotal, PlannedRequests};
use synix_prices::Forecast;
use synix_store::{BuildKind, LayerMode, Reader, RetrySelection};

/// Plans a build. Writes nothing and sends nothing.
pub async fn plan(
    build_context: BuildContext<'_>,
    kind: BuildKind,
    reader: Option<&Reader>,
) -> Result<Plan, BuildError> {
    let modes = match kind {
        BuildKind::Build => Modes::all_sync(build_context.pipeline),
        BuildKind::Batch => Modes::by_layer(build_context.pipeline),
    };
    let recorder = PlanRecorder::new(build_context.pipeline.layers.len());
    let mut scheduler = plan_scheduler(build_context, modes, reader, &recorder)?;
    let pool = build_context.pool(reader, RetrySelection::default(), None)?;
    scheduler.run(pool).await?;
    describe(&mut scheduler)
}

/// Refuses a trial whose patterns match no unit, as far as the units are known before anything runs. Writes nothing.
pub fn check_selection(
    build_context: BuildContext<'_>,
    reader: Option<&Reader>,
) -> Result<(), BuildError> {
    let selection = build_context.trial.map(|trial| &trial.selection);
    if !selection.is_some_and(Selection::has_globs) {
        return Ok(());
    }
    let modes = Modes::all_sync(build_context.pipeline);
    let recorder = PlanRecorder::new(build_context.pipeline.layers.len());
    plan_scheduler(build_context, modes, reader, &recorder)?.begin()
}

fn plan_scheduler<'s, 'a: 's>(
    build_context: BuildContext<'a>,
    modes: Modes,
    reader: Option<&'a Reader>,
    recorder: &'a PlanRecorder,
) -> Result<PlanScheduler<'s, 'a>, BuildError> {
    let context = SchedulerContext {
        pipeline: build_context.pipeline,
        folder: build_context.folder,
        reader,
        answer_origin: build_context.answer_origin(),
        allow_partial: false,
        selection: build_context.trial.map(|trial| &trial.selection),
        reread: Reread {
            unchanged: build_context.rehash,
            failed: false,
        },
        interruption: build_context.interruption,
        observer: &|_| {},
    };
    let misses = build_context
        .replay
        .map(|cassette| CassetteMisses::new(Arc::clone(cassette)));
    let layers = build_context.pipeline.layers.iter();
    let layers = layers.map(|layer| layer.name.to_string()).collect();
    let answerer = PlanAnswerer::new(reader, modes, build_context.prices, layers, misses);
    Scheduler::new(context, recorder, answerer)
}

pub(super) type PlanScheduler<'s, 'a> = Scheduler<'s, PlanAnswerer<'a>>;

fn describe(scheduler: &mut PlanScheduler<'_, '_>) -> Result<Plan, BuildError> {
    let count = scheduler.layers.len();
    let mut predicted: Vec<Option<Prediction>> = Vec::with_capacity(count);
    for position in 0..count {
        // Upstream layers come first.
        predicted.push(if scheduler.layers[position].progress.is_divided() {
            None
        } else {
            Some(predict(scheduler, position, &predicted)?)
        });
    }
    let mut unpriced = BTreeSet::new();
    let layers: Vec<PlanLayer> = predicted
        .into_iter()
        .enumerate()
        .map(|(position, predicted)| describe_layer(scheduler, position, predicted, &mut unpriced))
        .collect();
    Ok(Plan {
        total: PlanTotal::of(&layers),
        layers,
        unpriced: unpriced.into_iter().collect(),
    })
}

fn describe_layer(
    scheduler: &PlanScheduler<'_, '_>,
    position: usize,
    predicted: Option<Prediction>,
    unpriced: &mut BTreeSet<String>,
) -> PlanLayer {
    let layer = &scheduler.context.pipeline.layers[position];
    let retry_failed = scheduler.answerer.retry_failed(position);
    let possible_requests = possible_requests(scheduler, position);
    let decided = scheduler.answerer.mode(position);
    let empty = Forecast::default();
    let tally = scheduler.answerer.tallies.get(&position);
    let forecast = tally.map_or(&empty, |tally| tally.forecast(decided));
    unpriced.extend(forecast.unpriced.iter().map(ToString::to_string));
    let requests = tally.map_or(0, |tally| tally.requests);
    let in_flight = tally.map_or(0, |tally| tally.in_flight);
    let missing = tally.map_or(0, |tally| tally.missing);
    let repairs = tally.map_or_else(PlanRepairs::default, |tally| tally.repairs(decided));
    let notes = scheduler.recorder.take_notes(position);
    let transform = layer.body.transform();
    let per_unit = transform
        .map(|transform| transform.requests_per_unit)
        .filter(|requests_per_unit| !requests_per_unit.is_zero());
    let exact = per_unit.is_none() || (predicted.is_none() && possible_requests == 0);
    let mode = match transform {
        None => "source",
        Some(_) if exact && requests == 0 && in_flight == 0 => "none",
        Some(_) => decided.map_or("auto", LayerMode::name),
    };
    let requests_max = match (per_unit, &predicted) {
        _ if exact => Some(requests),
        (Some(requests_per_unit), None) if requests_per_unit.is_known() => {
            Some(requests.saturating_add(possible_requests))
        }
        (Some(requests_per_unit), Some(predicted)) if predicted.is_counted => {
            let units = predicted.units.unwrap_or(0);
            requests_per_unit
                .max_for_any_unit()
                .map(|each| each.saturating_mul(units))
        }
        _ => None,
    };
    let planned = PlannedRequests {
        answered: notes.answered,
        in_flight,
        missing,
        requests_max,
        ..PlannedRequests::new(requests, exact, forecast)
    };
    let planned = match tally.filter(|_| requests > 0) {
        Some(tally) => planned.resting_on(tally.basis()),
        None => planned,
    };
    let progress = &scheduler.layers[position].progress;
    let (units, stale) = (
        progress.fresh().saturating_add(progress.stale()),
        progress.stale(),
    );
    let mut stale_units = notes.stale_units;
    let mut described = PlanLayer {
        name: layer.name.to_string(),
        allow_hidden: layer.allow_hidden,
        mode,
        units,
        units_exact: true,
        units_guess: None,
        stale,
        stale_guess: None,
        planned,
        repairs,
        retry_failed,
        stale_units: Vec::new(),
        failures: notes.failures,
        skipped: scheduler.layers[position].skipped.clone(),
    };
    if let Some(predicted) = predicted {
        described.units_exact = predicted.is_counted;
        match predicted.units {
            Some(more) if predicted.is_counted => described.units = units.saturating_add(more),
            more => described.units_guess = more.map(|more| units.saturating_add(more)),
        }
        if predicted.named.iter().all(|unit| !unit.guess) && predicted.is_counted {
            described.stale = stale.saturating_add(predicted.stale);
        } else if predicted.units.is_some() {
            described.stale_guess = Some(stale.saturating_add(predicted.stale));
        }
        stale_units.extend(predicted.named);
    }
    stale_units.sort_by(|left, right| left.unit.cmp(&right.unit));
    described.stale_units = stale_units;
    described
}

/// Returns the maximum number of further requests of a layer's waiting units.
fn possible_requests(scheduler: &PlanScheduler<'_, '_>, layer: usize) -> u64 {
    let Some(transform) = scheduler.context.pipeline.layers[layer].body.transform() else {
        return 0;
    };
    let waiting = scheduler.units.iter().flatten();
    let more = waiting.filter(|unit| unit.layer == layer).map(|unit| {
        let most = transform.requests_per_unit.max_for(unit.spec.inputs.len());
        // A plan knows the limits of repairs apart from those of the plugin.
        let asked = unit.transcript.len().saturating_sub(unit.repairs);
        most.saturating_sub(asked as u64)
    });
    more.fold(0, u64::saturating_add)
}
