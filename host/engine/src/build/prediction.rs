//! Predicts the units that depend on unknown answers, from the last build.

use std::collections::HashSet;

use super::BuildError;
use super::plan::PlanScheduler;
use crate::plan::PlanUnit;
use synix_core::fingerprint::{StaleReason, StoredParts, stale_reasons};
use synix_sandbox::Shape;

/// The maximum number of units of a layer that are predicted by name, and of inputs of one of them.
const MAX_NAMED: usize = 100;

/// Units that may follow from unknown answers.
#[derive(Debug, Default)]
pub(super) struct Prediction {
    /// Their number, beyond the known units; `None` if it is unknown.
    pub(super) units: Option<u64>,
    /// How many of them are stale.
    pub(super) stale: u64,
    /// Some of the stale ones, by name.
    pub(super) named: Vec<PlanUnit>,
    /// Whether the number of units is exact nevertheless.
    pub(super) is_counted: bool,
}

/// Predicts the units that may follow from stale units upstream.
pub(super) fn predict(
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
        let (named, others): (Vec<_>, Vec<_>) =
            named.partition(|unit| scheduler.sample.predicts(layer, &unit.unit));
        let more = others.len() as u64;
        let count = incoming.count.map(|count| count.saturating_sub(more));
        return Ok(Prediction {
            units: count,
            stale: count.unwrap_or(0),
            named,
            is_counted: false,
        });
    }
    let name = scheduler.layer_name(layer);
    let mut keys = scheduler.previous.keys(name)?;
    keys.retain(|key| scheduler.sample.predicts(layer, key));
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
        // The threads decide in which order units wait for answers.
        pending.sort_unstable();
        let mut count = unnamed;
        for key in pending {
            let mut labels = scheduler.previous.labels(name, &key)?;
            self.known
                .extend(labels.iter().map(|label| format!("{name}/{label}")));
            if labels.is_empty() {
                match scheduler.sample.predicted_label(layer, &key) {
                    Some(label) => labels.push(label),
                    None => {
                        self.unnamed.push(name.to_owned());
                        count = count.map(|count: u64| count.saturating_add(1));
                    }
                }
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
