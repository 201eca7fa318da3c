//! The requests of a plan, with their tokens and cost.

use serde::Serialize;

use synix_prices::{Amount, Forecast};

/// Requests that would be sent, with their tokens and cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedRequests {
    /// The known requests to send. If `exact`, there are no others.
    pub requests: u64,
    /// The maximum number of requests; `None` if only the host's default limit is known.
    pub requests_max: Option<u64>,
    /// Whether no unknown answer can add to requests, tokens and cost.
    pub exact: bool,
    /// Requests of the stale units that were answered before and cost nothing.
    pub answered: u64,
    /// Requests that are already in flight.
    pub in_flight: u64,
    /// Requests that are not in the cassette of a replay. They are not sent, and their units fail.
    pub missing: u64,
    /// The input tokens of the known requests; `None` if they cannot be counted, or if no request is known yet.
    pub input_tokens: Option<u64>,
    /// Whether some of them are not counted with the model's tokenizer.
    pub input_tokens_estimated: bool,
    /// The maximum number of output tokens; `None` if there is no limit, or if more requests may follow.
    pub output_tokens_max: Option<u64>,
    /// The cost in US dollars: the maximum if `exact`, otherwise the minimum; `None` if it is unknown.
    pub cost_usd: Option<Amount>,
    /// The minimum cost: every answer is empty, and no answer leads to another request.
    pub cost_usd_min: Option<Amount>,
    /// The maximum cost; `None` if there is no limit.
    pub cost_usd_max: Option<Amount>,
    /// The maximum cost of the known requests alone.
    pub cost_usd_known: Option<Amount>,
    /// The expected cost of the known requests: each answer is as long as the mean of those on record.
    pub cost_usd_expected: Option<Amount>,
    /// Their cost if each answer is as long as the median of those on record.
    pub cost_usd_median: Option<Amount>,
    /// Their cost if each answer is as long as the 90th percentile of those on record.
    pub cost_usd_p90: Option<Amount>,
    /// The number of answers on record that these three rest on; 0: they are the maximum.
    pub expected_from: u64,
    /// Whose answers they are: `layer`, `model` if the layer has none, `bound` if there is none, or `mixed`; `None`
    /// without known requests.
    pub expected_basis: Option<&'static str>,
}

impl PlannedRequests {
    /// Describes requests with their `forecast`; `exact` means that there are no others.
    pub fn new(requests: u64, exact: bool, forecast: &Forecast) -> Self {
        // Unknown is never reported as zero.
        let is_open = !exact && requests == 0;
        let if_known = |amount: Option<Amount>| amount.filter(|_| !is_open);
        let min = if_known(forecast.min_cost);
        let max = if_known(forecast.max_cost);
        Self {
            requests,
            requests_max: exact.then_some(requests),
            exact,
            answered: 0,
            in_flight: 0,
            missing: 0,
            input_tokens: forecast.input_tokens.filter(|_| !is_open),
            input_tokens_estimated: forecast.input_estimated,
            output_tokens_max: forecast.output_tokens.filter(|_| exact),
            cost_usd: if exact { max } else { min },
            cost_usd_min: min,
            cost_usd_max: max.filter(|_| exact),
            cost_usd_known: max,
            cost_usd_expected: if_known(forecast.expected_cost),
            cost_usd_median: if_known(forecast.median_cost),
            cost_usd_p90: if_known(forecast.p90_cost),
            expected_from: 0,
            expected_basis: None,
        }
    }

    /// Sets what the expected costs rest on: the number of answers, and the name of each basis.
    pub fn resting_on(self, (answers, bases): (u64, impl Iterator<Item = &'static str>)) -> Self {
        Self {
            expected_from: answers,
            expected_basis: common(bases),
            ..self
        }
    }

    /// Adds up the requests of layers.
    pub(super) fn sum(parts: &[&Self]) -> Self {
        let parts = parts.iter().copied();
        // A layer without known requests does not affect the known numbers of the others.
        let known = parts.clone().filter(|part| part.exact || part.requests > 0);
        let exact = parts.clone().all(|part| part.exact);
        let requests = parts.clone().map(|part| part.requests).sum();
        let is_open = !exact && requests == 0;
        let count = |of: fn(&Self) -> u64| parts.clone().map(of).sum();
        let tokens = |of: fn(&Self) -> Option<u64>| {
            let sum: Option<u64> = known
                .clone()
                .map(of)
                .try_fold(0_u64, |sum, tokens| sum.checked_add(tokens?));
            sum.filter(|_| !is_open)
        };
        let cost = |of: fn(&Self) -> Option<Amount>| {
            let sum: Option<Amount> = known.clone().map(of).sum();
            sum.filter(|_| !is_open)
        };
        let min = cost(|part| part.cost_usd_min);
        let max = cost(|part| part.cost_usd_known);
        Self {
            requests,
            requests_max: parts
                .clone()
                .map(|part| part.requests_max)
                .try_fold(0_u64, |sum, max| Some(sum.saturating_add(max?))),
            exact,
            answered: count(|part| part.answered),
            in_flight: count(|part| part.in_flight),
            missing: count(|part| part.missing),
            input_tokens: tokens(|part| part.input_tokens),
            input_tokens_estimated: known.clone().any(|part| part.input_tokens_estimated),
            output_tokens_max: tokens(|part| part.output_tokens_max).filter(|_| exact),
            cost_usd: if exact { max } else { min },
            cost_usd_min: min,
            cost_usd_max: max.filter(|_| exact),
            cost_usd_known: max,
            cost_usd_expected: cost(|part| part.cost_usd_expected),
            cost_usd_median: cost(|part| part.cost_usd_median),
            cost_usd_p90: cost(|part| part.cost_usd_p90),
            expected_from: count(|part| part.expected_from),
            expected_basis: common(parts.filter_map(|part| part.expected_basis)),
        }
    }
}

/// Returns what all names are, or `mixed`.
fn common(mut names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let first = names.next()?;
    let is_common = names.all(|name| name == first);
    Some(if is_common { first } else { "mixed" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(usd: f64) -> Amount {
        Amount::from_usd(usd).unwrap()
    }

    fn forecast(min: f64, max: f64) -> Forecast {
        Forecast {
            input_tokens: Some(10),
            input_estimated: false,
            output_tokens: Some(100),
            min_cost: Some(usd(min)),
            max_cost: Some(usd(max)),
            expected_cost: Some(usd(min)),
            median_cost: Some(usd(min)),
            p90_cost: Some(usd(max)),
            ..Forecast::default()
        }
    }

    /// U2: a cost is an upper bound only if no further request may follow.
    #[test]
    fn the_cost_of_open_requests_is_a_lower_bound() {
        let exact = PlannedRequests::new(3, true, &forecast(1.0, 5.0));
        assert_eq!(exact.cost_usd, Some(usd(5.0)));
        assert_eq!(exact.cost_usd_max, Some(usd(5.0)));
        assert_eq!(exact.output_tokens_max, Some(100));
        let open = PlannedRequests::new(3, false, &forecast(1.0, 5.0));
        assert_eq!(open.cost_usd, Some(usd(1.0)));
        assert_eq!(open.cost_usd_max, None);
        assert_eq!(open.cost_usd_known, Some(usd(5.0)));
        assert_eq!(open.output_tokens_max, None);
        assert_eq!(open.input_tokens, Some(10));
    }

    /// U2: unknown is null, not zero.
    #[test]
    fn a_layer_behind_unknown_answers_has_no_cost() {
        let behind = PlannedRequests::new(0, false, &Forecast::default());
        for amount in [
            behind.cost_usd,
            behind.cost_usd_min,
            behind.cost_usd_max,
            behind.cost_usd_known,
        ] {
            assert_eq!(amount, None);
        }
        assert_eq!(
            (behind.input_tokens, behind.output_tokens_max),
            (None, None)
        );
        let nothing = PlannedRequests::new(0, true, &Forecast::default());
        assert_eq!(nothing.cost_usd, Some(Amount::ZERO));
    }

    #[test]
    fn a_total_is_exact_only_if_its_layers_are() {
        let exact = PlannedRequests::new(3, true, &forecast(1.0, 5.0));
        let open = PlannedRequests::new(2, false, &forecast(0.5, 2.0));
        let behind = PlannedRequests::new(0, false, &Forecast::default());
        let sum = PlannedRequests::sum;
        let both = sum(&[&exact, &exact]);
        assert_eq!((both.requests, both.exact), (6, true));
        assert_eq!(
            (both.cost_usd, both.cost_usd_max),
            (Some(usd(10.0)), Some(usd(10.0)))
        );
        let more = sum(&[&exact, &open, &behind]);
        assert_eq!((more.requests, more.exact), (5, false));
        assert_eq!((more.cost_usd, more.cost_usd_max), (Some(usd(1.5)), None));
        assert_eq!(more.cost_usd_known, Some(usd(7.0)));
        assert_eq!(more.cost_usd_expected, Some(usd(1.5)));
        assert_eq!(sum(&[&behind]).cost_usd, None);
        let unpriced = Forecast {
            min_cost: None,
            max_cost: None,
            expected_cost: None,
            ..forecast(1.0, 1.0)
        };
        let unpriced = PlannedRequests::new(1, true, &unpriced);
        let unknown = sum(&[&exact, &unpriced]);
        assert_eq!((unknown.cost_usd, unknown.cost_usd_expected), (None, None));
    }
}
