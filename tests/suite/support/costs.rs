//! What the provider bills, and what synix records about it.

use serde_json::Value;
use synix_scripted_provider::{Executed, Ledger, PriceClass};

use crate::support::test_project::TestProject;

/// Returns the cost of the ledger's entries in picodollars, at the listed prices of the models in the tests.
pub(crate) fn billed(ledger: &Ledger) -> u64 {
    ledger.executed.iter().map(price_of).sum()
}

/// Returns the cost of a request in picodollars.
pub(crate) fn price_of(entry: &Executed) -> u64 {
    let (input, output) = match &*entry.model {
        model if model.starts_with("gpt-4o-mini") => (150_000, 600_000),
        model if model.starts_with("claude-haiku-4-5") => (1_000_000, 5_000_000),
        model if model.starts_with("text-embedding-3-small") => (20_000, 0),
        _ => panic!("{entry:?}"),
    };
    let sync = entry.input_tokens * input + entry.output_tokens * output;
    match entry.price {
        PriceClass::Sync => sync,
        PriceClass::Batch => sync / 2,
    }
}

/// Converts a cost to picodollars.
#[track_caller]
pub(crate) fn picodollars(cost: &Value) -> u64 {
    let usd = cost.as_f64().unwrap_or_else(|| panic!("{cost} is no cost"));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small amount"
    )]
    let pico = (usd * 1e12).round() as u64;
    pico
}

/// Returns the number of requests that may have been billed without an answer, according to the state.
pub(crate) fn unclear_attempts(project: &TestProject) -> usize {
    let count =
        project
            .database()
            .query_row("SELECT count(*) FROM attempt WHERE state = 3", [], |row| {
                row.get::<_, i64>(0)
            });
    usize::try_from(count.unwrap()).unwrap()
}

/// Describes the distribution of relative errors, which it sorts.
pub(crate) fn error_quantiles(name: &str, errors: &mut [f64]) -> String {
    errors.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let error = errors.get(errors.len().saturating_sub(1) * percent / 100);
        format!("{:+.1} %", error.copied().unwrap_or(f64::NAN) * 100.0)
    };
    let [p5, p25, p50, p75, p95] = [5, 25, 50, 75, 95].map(at);
    format!(
        "error of the expected cost, {name}, {} values: 5 % {p5}, 25 % {p25}, median {p50}, 75 % {p75}, 95 % {p95}",
        errors.len()
    )
}
