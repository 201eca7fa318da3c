//! Adds up tokens, durations, costs and units, and makes metrics of them.
//!
//! There is a series for each layer and model at most, so memory does not grow with the number of requests.

use std::collections::BTreeMap;

use synix_core::clock::Timestamp;
use synix_prices::{Amount, Prices};
use synix_store::{SendOutcome, TimedSend};

use crate::attributes as names;
use crate::spans::{nanoseconds, operation, rate};
use crate::wire::{Data, Histogram, HistogramPoint, KeyValue, Metric, NumberPoint, Sum, text};

/// Whether a metric has what was added since the last one, or everything since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temporality {
    Delta = 1,
    Cumulative = 2,
}

/// The values of a series of attributes, which are keys and values.
type Series = Vec<(&'static str, String)>;

/// The sums and histograms of a build.
#[derive(Debug)]
pub(crate) struct Metrics {
    temporality: Temporality,
    /// The start of what the sums have.
    start: Timestamp,
    tokens: BTreeMap<Series, Buckets>,
    durations: BTreeMap<Series, Buckets>,
    costs: BTreeMap<Series, Amount>,
    units: BTreeMap<Series, u64>,
}

impl Metrics {
    pub(crate) const fn new(temporality: Temporality, start: Timestamp) -> Self {
        Self {
            temporality,
            start,
            tokens: BTreeMap::new(),
            durations: BTreeMap::new(),
            costs: BTreeMap::new(),
            units: BTreeMap::new(),
        }
    }

    /// Adds a send that settled.
    pub(crate) fn add_send(&mut self, send: &TimedSend, prices: &Prices) {
        let series = |more: &[(&'static str, &str)]| -> Series {
            let general = [
                (names::OPERATION, operation(send)),
                (names::PROVIDER, send.provider.as_str()),
                (names::MODEL, send.model.as_str()),
            ];
            let all = general.iter().chain(more);
            all.map(|(key, value)| (*key, (*value).to_owned()))
                .collect()
        };
        let usage = &send.usage;
        if send.outcome == SendOutcome::Answered && !usage.uncounted {
            let output = (!send.is_embedding).then_some(("output", usage.output_tokens));
            for (kind, count) in [("input", usage.input_tokens)].into_iter().chain(output) {
                let tokens = self.tokens.entry(series(&[(names::TOKEN_TYPE, kind)]));
                tokens
                    .or_insert_with(|| Buckets::new(names::TOKEN_BOUNDS))
                    .add(count_as_number(count));
            }
        }
        if let (Some(sent), Some(settled)) = (send.sent, send.settled) {
            let failure = match &send.outcome {
                SendOutcome::Failed { kind, .. } => Some((names::ERROR_TYPE, kind.as_str())),
                SendOutcome::Unclear => Some((names::ERROR_TYPE, "unclear")),
                SendOutcome::Open | SendOutcome::Answered => None,
            };
            let durations = self.durations.entry(series(failure.as_slice()));
            durations
                .or_insert_with(|| Buckets::new(names::DURATION_BOUNDS))
                .add(settled.since(sent).as_secs_f64());
        }
        if let Ok(cost) = prices.cost(&send.model, usage, rate(send)) {
            let layer = series(&[(names::LAYER, send.layer.as_str())]);
            *self.costs.entry(layer).or_insert(Amount::ZERO) += cost;
        }
    }

    /// Adds a unit that settled.
    pub(crate) fn add_unit(&mut self, layer: &str, has_failed: bool) {
        let outcome = if has_failed { "failed" } else { "done" };
        let series = vec![
            (names::LAYER, layer.to_owned()),
            (names::OUTCOME, outcome.to_owned()),
        ];
        *self.units.entry(series).or_default() += 1;
    }

    /// Returns all metrics that have values.
    pub(crate) fn collect(&self, now: Timestamp) -> Vec<Metric> {
        let histogram = |series: &BTreeMap<Series, Buckets>| {
            let points = series.iter().map(|(series, buckets)| HistogramPoint {
                start_time_unix_nano: nanoseconds(self.start),
                time_unix_nano: nanoseconds(now),
                attributes: attributes(series),
                ..buckets.point()
            });
            Data::Histogram(Histogram {
                data_points: points.collect(),
                aggregation_temporality: self.temporality as i32,
            })
        };
        let sum = |values: Vec<(&Series, f64)>| {
            let points = values.into_iter().map(|(series, value)| NumberPoint {
                start_time_unix_nano: nanoseconds(self.start),
                time_unix_nano: nanoseconds(now),
                as_double: Some(value),
                attributes: attributes(series),
            });
            Data::Sum(Sum {
                data_points: points.collect(),
                aggregation_temporality: self.temporality as i32,
                is_monotonic: true,
            })
        };
        let costs = self.costs.iter().map(|(series, cost)| (series, cost.usd()));
        let units = self.units.iter();
        let units = units.map(|(series, count)| (series, count_as_number(*count)));
        [
            (
                names::TOKEN_USAGE_METRIC,
                "{token}",
                histogram(&self.tokens),
            ),
            (names::DURATION_METRIC, "s", histogram(&self.durations)),
            (names::COST_METRIC, "{USD}", sum(costs.collect())),
            (names::UNITS_METRIC, "{unit}", sum(units.collect())),
        ]
        .into_iter()
        .filter(|(_, _, data)| match data {
            Data::Sum(sum) => !sum.data_points.is_empty(),
            Data::Histogram(histogram) => !histogram.data_points.is_empty(),
        })
        .map(|(name, unit, data)| Metric {
            name: name.to_owned(),
            description: String::new(),
            unit: unit.to_owned(),
            data: Some(data),
        })
        .collect()
    }

    /// Records that the receiver has everything up to `now`.
    pub(crate) fn accepted(&mut self, now: Timestamp) {
        if self.temporality == Temporality::Delta {
            *self = Self::new(self.temporality, now);
        }
    }
}

fn attributes(series: &Series) -> Vec<KeyValue> {
    let pairs = series.iter();
    pairs
        .map(|(key, value)| text(key, value.as_str()))
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no count of tokens or units reaches 2^53"
)]
const fn count_as_number(count: u64) -> f64 {
    count as f64
}

/// A histogram with fixed boundaries.
#[derive(Debug)]
struct Buckets {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    min: f64,
    max: f64,
}

impl Buckets {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }

    fn add(&mut self, value: f64) {
        // A boundary belongs to the bucket below it.
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn point(&self) -> HistogramPoint {
        HistogramPoint {
            count: self.counts.iter().sum(),
            sum: Some(self.sum),
            bucket_counts: self.counts.clone(),
            explicit_bounds: self.bounds.to_vec(),
            min: Some(self.min),
            max: Some(self.max),
            ..HistogramPoint::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_belongs_to_the_bucket_below_it() {
        let mut buckets = Buckets::new(&[1.0, 4.0]);
        for value in [0.0, 1.0, 1.5, 4.0, 5.0] {
            buckets.add(value);
        }
        let point = buckets.point();
        assert_eq!(point.bucket_counts, [2, 2, 1]);
        assert_eq!(
            (point.count, point.min, point.max),
            (5, Some(0.0), Some(5.0))
        );
    }

    #[test]
    fn a_delta_begins_where_the_last_one_ended() {
        for (temporality, expected) in [(Temporality::Delta, 1.0), (Temporality::Cumulative, 2.0)] {
            let mut metrics = Metrics::new(temporality, Timestamp(1));
            metrics.add_unit("a", false);
            metrics.accepted(Timestamp(2));
            metrics.add_unit("a", false);
            let collected = metrics.collect(Timestamp(3));
            let [
                Metric {
                    data: Some(Data::Sum(sum)),
                    ..
                },
            ] = collected.as_slice()
            else {
                panic!("{collected:?}");
            };
            assert_eq!(sum.data_points[0].as_double, Some(expected));
        }
    }
}
