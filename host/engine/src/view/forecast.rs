//! What a build expected of its answers, from the record as it was before, and how far that was off.
//!
//! The state has token counts and no amounts, so both amounts are computed at the same prices.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::plan::Bases;
use synix_core::request::Usage;
use synix_prices::{Amount, Prices, Rate};
use synix_store::{BuildId, Reader, SendRecord, SendState, StoreError};

/// What was expected of the answers to a layer's requests to a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Expectation {
    layer: String,
    model: String,
    /// The number of answers that it rests on.
    answers: u64,
    /// The mean of their output tokens.
    output_tokens: u64,
}

/// Returns what a build expected of its answers, as it is recorded; `None` if it sent nothing, or if no answer was on
/// record.
pub fn expectations(reader: &Reader, build: BuildId) -> Result<Option<String>, StoreError> {
    let Some(first) = reader.first_attempt(build)? else {
        return Ok(None);
    };
    let mut bases = Bases::before(reader, first);
    let mut expected = Vec::new();
    for (layer, model) in reader.models_of(build)? {
        if let Some(found) = bases.find(&layer, &model)? {
            expected.push(Expectation {
                layer,
                model,
                answers: found.basis.answers,
                output_tokens: found.basis.mean,
            });
        }
    }
    let text = serde_json::to_string(&expected).unwrap_or_default();
    Ok((!expected.is_empty()).then_some(text))
}

/// How far the expected cost of a build was off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastView {
    /// The expected cost in US dollars of the requests that answers on record said something about; `None` if a price is
    /// unknown.
    pub cost_usd_expected: Option<Amount>,
    /// What the same requests cost.
    pub cost_usd_spent: Option<Amount>,
    /// By which part more was spent than expected: 0.09 is 9 % more. `None` if that cannot be computed.
    pub error: Option<f64>,
    /// The number of these requests.
    pub requests: u64,
    /// The number of all requests that were billed.
    pub requests_billed: u64,
    /// The number of answers that the expectation rests on.
    pub expected_from: u64,
}

/// Adds up what was expected of the sends of a build.
#[derive(Debug, Default)]
pub(super) struct ForecastTally {
    expected: BTreeMap<String, BTreeMap<String, Expectation>>,
    used: BTreeSet<(String, String)>,
    sums: Option<(Amount, Amount)>,
    requests: u64,
    billed: u64,
    answers: u64,
}

impl ForecastTally {
    pub(super) fn of(reader: &Reader, build: BuildId) -> Result<Option<Self>, StoreError> {
        let Some(text) = reader.build_forecast(build)? else {
            return Ok(None);
        };
        let all: Vec<Expectation> =
            serde_json::from_str(&text).map_err(|error| StoreError::Unusable {
                what: "forecast",
                detail: error.to_string(),
            })?;
        let mut expected: BTreeMap<String, BTreeMap<String, Expectation>> = BTreeMap::new();
        for one in all {
            let models = expected.entry(one.layer.clone()).or_default();
            models.insert(one.model.clone(), one);
        }
        Ok(Some(Self {
            expected,
            sums: Some((Amount::ZERO, Amount::ZERO)),
            ..Self::default()
        }))
    }

    /// Adds a send. One that cost nothing, or perhaps something, was not expected to.
    pub(super) fn add(&mut self, send: &SendRecord<'_>, prices: &Prices, rate: Rate) {
        let usage = &send.usage;
        let is_billed = usage.input_tokens > 0 || usage.output_tokens > 0 || usage.uncounted;
        if send.state != SendState::Closed || !is_billed {
            return;
        }
        self.billed += 1;
        let models = self.expected.get(send.layer);
        let Some(expectation) = models.and_then(|models| models.get(send.model)) else {
            return;
        };
        self.requests += 1;
        let key = (send.layer.to_owned(), send.model.to_owned());
        if self.used.insert(key) {
            self.answers += expectation.answers;
        }
        let as_expected = Usage {
            output_tokens: expectation.output_tokens,
            ..*usage
        };
        let cost = |usage: &Usage| prices.cost(send.model, usage, rate).ok();
        self.sums = self.sums.and_then(|(expected, spent)| {
            Some((expected + cost(&as_expected)?, spent + cost(usage)?))
        });
    }

    pub(super) fn view(&self) -> Option<ForecastView> {
        if self.requests == 0 {
            return None;
        }
        let (expected, spent) = self.sums.unzip();
        Some(ForecastView {
            cost_usd_expected: expected,
            cost_usd_spent: spent,
            error: expected
                .zip(spent)
                .and_then(|(expected, spent)| error(expected, spent)),
            requests: self.requests,
            requests_billed: self.billed,
            expected_from: self.answers,
        })
    }
}

/// Returns by which part more was spent than expected, to four digits.
fn error(expected: Amount, spent: Amount) -> Option<f64> {
    let error = spent.usd() / expected.usd() - 1.0;
    error.is_finite().then(|| (error * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_part_of_what_was_expected() {
        let of = |expected, spent| {
            let usd = |usd| Amount::from_usd(usd).unwrap();
            error(usd(expected), usd(spent))
        };
        assert_eq!(of(1.2, 1.308), Some(0.09));
        assert_eq!(of(2.0, 1.0), Some(-0.5));
        assert_eq!(of(0.0, 1.0), None);
        assert_eq!(of(0.0, 0.0), None);
    }
}
