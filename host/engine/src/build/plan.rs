//! Plans a build: runs the scheduler with a recorder and an answerer that only take notes.
//!
//! Units that run are counted. Units that depend on unknown answers are predicted from the last build. A
//! prediction is a guess and is never mixed with a count.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::BuildError;
use super::answerer::Answerer as _;
use super::layers::ReadyBody;
use super::modes::Modes;
use super::options::BuildContext;
use super::plan_answerer::PlanAnswerer;
use super::plan_recorder::PlanRecorder;
use super::replay::CassetteMisses;
use super::scheduler::{Scheduler, SchedulerContext};
use crate::plan::{Plan, PlanLayer, PlanTotal, PlanUnit, PlannedRequests};
use synix_core::fingerprint::{StaleReason, StoredParts, stale_reasons};
use synix_prices::Forecast;
use synix_sandbox::Shape;
use synix_store::{BuildKind, LayerMode, Reader};

/// The maximum number of units of a layer that are predicted by name, and of inputs of one of them.
const MAX_NAMED: usize = 100;

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
    let context = SchedulerContext {
        pipeline: build_context.pipeline,
        folder: build_context.folder,
        reader,
        answer_origin: build_context.answer_origin(),
        allow_partial: false,
        observer: &|_| {},
    };
    let misses = build_context
        .replay
        .map(|cassette| CassetteMisses::new(Arc::clone(cassette)));
    let answerer = PlanAnswerer::new(reader, modes, build_context.prices, misses);
    let recorder = PlanRecorder::new(build_context.pipeline.layers.len());
    let mut scheduler = Scheduler::new(context, &recorder, answerer)?;
    scheduler.run(build_context.pool(reader)?).await?;
    describe(&mut scheduler)
}

type PlanScheduler<'s, 'a> = Scheduler<'s, PlanAnswerer<'a>>;

/// Units that may follow from unknown answers.
#[derive(Debug, Default)]
struct Prediction {
    /// Their number, beyond the known units; `None` if it is unknown.
    units: Option<u64>,
    /// How many of them are stale.
    stale: u64,
    /// Some of the stale ones, by name.
    named: Vec<PlanUnit>,
    /// Whether the number of units is exact nevertheless.
    is_counted: bool,
}

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
    let notes = scheduler.recorder.take_notes(position);
    let per_unit = match &layer.body {
        ReadyBody::Source { .. } => None,
        ReadyBody::Transform(transform) => Some(transform.requests_per_unit)
            .filter(|requests_per_unit| !requests_per_unit.is_zero()),
    };
    let exact = per_unit.is_none() || (predicted.is_none() && possible_requests == 0);
    let mode = match &layer.body {
        ReadyBody::Source { .. } => "source",
        ReadyBody::Transform(_) if exact && requests == 0 && in_flight == 0 => "none",
        ReadyBody::Transform(_) => decided.map_or("auto", LayerMode::name),
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
        retry_failed,
        stale_units: Vec::new(),
        failures: notes.failures,
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
    let ReadyBody::Transform(transform) = &scheduler.context.pipeline.layers[layer].body else {
        return 0;
    };
    let waiting = scheduler.units.iter().flatten();
    let more = waiting.filter(|unit| unit.layer == layer).map(|unit| {
        let most = transform.requests_per_unit.max_for(unit.spec.inputs.len());
        most.saturating_sub(unit.transcript.len() as u64)
    });
    more.fold(0, u64::saturating_add)
}

/// Predicts the units that may follow from stale units upstream.
fn predict(
    scheduler: &mut PlanScheduler<'_, '_>,
    layer: usize,
    predicted: &[Option<Prediction>],
) -> Result<Prediction, BuildError> {
    let transform = scheduler.transform(layer);
    let shape = transform.plugin.descriptor().shape;
    let mut incoming = IncomingInputs::default();
    for input in &transform.inputs {
        if !scheduler.layers[*input].progress.is_complete() {
            let of_input = predicted.get(*input).and_then(Option::as_ref);
            incoming.add(scheduler, *input, of_input)?;
        }
    }
    if shape == Shape::PerInput {
        let many = transform.inputs.len() > 1;
        let named = incoming.named.iter().map(|(upstream, label)| PlanUnit {
            unit: if many {
                format!("{upstream}/{label}")
            } else {
                label.clone()
            },
            reasons: vec![StaleReason::InputStale {
                input: format!("{upstream}/{label}"),
            }],
            guess: true,
        });
        return Ok(Prediction {
            units: incoming.count,
            stale: incoming.count.unwrap_or(0),
            named: named.collect(),
            is_counted: false,
        });
    }
    let name = scheduler.layer_name(layer);
    let keys = scheduler.previous.keys(name)?;
    if keys.is_empty() {
        // The shape `all` has one unit; the number of groups is unknown.
        let is_one = shape == Shape::All;
        let new = PlanUnit {
            unit: name.to_owned(),
            reasons: vec![StaleReason::New],
            guess: false,
        };
        return Ok(Prediction {
            units: is_one.then_some(1),
            stale: is_one.into(),
            named: is_one.then_some(new).into_iter().collect(),
            is_counted: is_one,
        });
    }
    let mut found = Prediction {
        units: Some(if shape == Shape::All {
            1
        } else {
            keys.len() as u64
        }),
        is_counted: shape == Shape::All,
        ..Prediction::default()
    };
    for key in keys {
        let reasons = incoming.reasons(scheduler, layer, &key, shape)?;
        if reasons.is_empty() {
            continue;
        }
        found.stale += 1;
        if found.named.len() < MAX_NAMED {
            found.named.push(PlanUnit {
                unit: key,
                reasons,
                guess: true,
            });
        }
    }
    Ok(found)
}

/// Artifacts that do not exist yet, as inputs of a layer.
#[derive(Debug)]
struct IncomingInputs {
    /// Their predicted number; `None` if it is unknown.
    count: Option<u64>,
    /// The first of them: the layer, and the label or the unit that will make it.
    named: Vec<(String, String)>,
    /// Those that the last build had, as `layer/label`.
    known: HashSet<String>,
    /// Layers with artifacts that cannot be named.
    unnamed: Vec<String>,
}

impl Default for IncomingInputs {
    fn default() -> Self {
        Self {
            count: Some(0),
            named: Vec::new(),
            known: HashSet::new(),
            unnamed: Vec::new(),
        }
    }
}

impl IncomingInputs {
    /// Adds the artifacts that the stale units of a layer may make.
    fn add(
        &mut self,
        scheduler: &mut PlanScheduler<'_, '_>,
        layer: usize,
        predicted: Option<&Prediction>,
    ) -> Result<(), BuildError> {
        let name = scheduler.layer_name(layer);
        let run = &scheduler.layers[layer];
        let settled: HashSet<&str> = run
            .done_units
            .iter()
            .map(|(key, _)| key.as_str())
            .chain(
                run.failed_units
                    .iter()
                    .map(synix_core::ids::UnitKey::as_str),
            )
            .collect();
        let mut pending = scheduler.recorder.stale_units(layer);
        pending.retain(|unit| !settled.contains(unit.as_str()));
        let mut unnamed = Some(0);
        if let Some(predicted) = predicted {
            pending.extend(predicted.named.iter().map(|unit| unit.unit.clone()));
            let stale = predicted.units.map(|_| predicted.stale);
            unnamed = stale.map(|stale| stale.saturating_sub(predicted.named.len() as u64));
        }
        if unnamed != Some(0) {
            self.unnamed.push(name.to_owned());
        }
        let mut count = unnamed;
        for key in pending {
            let mut labels = scheduler.previous.labels(name, &key)?;
            self.known
                .extend(labels.iter().map(|label| format!("{name}/{label}")));
            if labels.is_empty() {
                labels.push(key);
            }
            count = count.map(|count| count.saturating_add(labels.len() as u64));
            let room = MAX_NAMED.saturating_sub(self.named.len());
            let named = labels.into_iter().take(room);
            self.named
                .extend(named.map(|label| (name.to_owned(), label)));
        }
        self.count = match (self.count, count) {
            (Some(before), Some(count)) => Some(before.saturating_add(count)),
            _ => None,
        };
        Ok(())
    }

    /// Returns why a unit with several inputs is probably stale: because of its earlier inputs or its layer's settings.
    fn reasons(
        &self,
        scheduler: &mut PlanScheduler<'_, '_>,
        layer: usize,
        key: &str,
        shape: Shape,
    ) -> Result<Vec<StaleReason>, BuildError> {
        let name = scheduler.layer_name(layer);
        let Some(before) = scheduler.previous.parts(name, key)? else {
            return Ok(vec![StaleReason::Version]);
        };
        let now = StoredParts::new(
            scheduler.transform(layer).parts.clone(),
            before.unit.clone(),
        );
        let mut reasons = stale_reasons(&before, &now);
        let had = before.unit.inputs.iter().map(|input| input.name.as_str());
        let mut stale: Vec<String> = had
            .filter(|input| self.known.contains(*input))
            .map(str::to_owned)
            .collect();
        if shape == Shape::All {
            // It takes the new artifacts, too.
            let new = self
                .named
                .iter()
                .map(|(upstream, label)| format!("{upstream}/{label}"));
            stale.extend(new.filter(|input| !self.known.contains(input)));
            stale.extend(self.unnamed.iter().cloned());
        }
        let more = stale.len().saturating_sub(MAX_NAMED);
        let named = stale.into_iter().take(MAX_NAMED);
        reasons.extend(named.map(|input| StaleReason::InputStale { input }));
        if more > 0 {
            reasons.push(StaleReason::MoreInputs { count: more as u64 });
        }
        Ok(reasons)
    }
}
