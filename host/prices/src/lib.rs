//! What requests cost: the price table, tokens times prices, and sums of them.
//!
//! Tokens are facts and are kept; money is worked out from them when it is
//! shown, at the listed prices or the pipeline file's own. What has no known
//! price costs an unknown amount, never nothing.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use synix_core::request::Usage;
//! use synix_prices::{Prices, Rate};
//!
//! let prices = Prices::new(BTreeMap::new());
//! let usage = Usage { input_tokens: 1_000_000, ..Usage::default() };
//! let call = prices.cost("gpt-4o-mini", &usage, Rate::Sync)?;
//! let row = prices.cost("gpt-4o-mini", &usage, Rate::Batch)?;
//! assert_eq!(row.usd() * 2.0, call.usd());
//! assert!(prices.cost("a model of nobody", &usage, Rate::Sync).is_err());
//! # Ok::<(), synix_prices::PriceError>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod amount;
mod bill;
mod estimate;
mod forecast;
mod ledger;
mod table;
mod tokens;

use std::collections::BTreeMap;

pub use amount::Amount;
pub use bill::Bill;
pub use estimate::Estimate;
pub use forecast::Forecast;
pub use ledger::{Excess, Ledger};
pub use table::{LongPrice, Price, price_date};

use synix_core::request::Usage;

/// Why an amount is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum PriceError {
    /// The model is neither in the table nor in the pipeline file.
    #[error("no price is known for model `{0}`; write [prices.\"{0}\"] in the pipeline file")]
    NoModel(String),
    /// The model's entry lacks a price that is needed.
    #[error(
        "no price is known for the {what} of model `{model}`; write `{what}` in [prices.\"{model}\"] in the pipeline file"
    )]
    NoPrice {
        /// The model.
        model: String,
        /// The key of the price.
        what: &'static str,
    },
    /// Nothing limits a request's output, so nothing limits its cost.
    #[error("model `{0}` is asked without max_tokens, so its answers have no highest cost")]
    NoLimit(String),
    /// A request's input holds what only its provider can count.
    #[error("model `{0}` is shown pictures, whose tokens only its provider counts")]
    NoCount(String),
    /// The provider did not say what it counted.
    #[error("the provider of model `{0}` did not say how many tokens it counted")]
    Uncounted(String),
    /// The pipeline file, which may hold prices, could not be used.
    #[error("prices are not known: {0}")]
    Unusable(String),
}

/// How a request is sent, which decides what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// By itself.
    Sync,
    /// In a batch.
    Batch,
}

/// The prices in force: those of a pipeline file over the listed ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices {
    own: BTreeMap<String, Price>,
    /// Why no price can be told.
    problem: Option<String>,
}

impl Prices {
    /// Returns the listed prices with `own` over them, by model.
    pub const fn new(own: BTreeMap<String, Price>) -> Self {
        Self { own, problem: None }
    }

    /// Returns prices of which none is known, and why.
    pub const fn unusable(problem: String) -> Self {
        Self {
            own: BTreeMap::new(),
            problem: Some(problem),
        }
    }

    /// Returns the price of a model.
    pub fn of(&self, model: &str) -> Result<Price, PriceError> {
        if let Some(problem) = &self.problem {
            return Err(PriceError::Unusable(problem.clone()));
        }
        match (
            table::find(&self.own, model),
            table::find(table::listed(), model),
        ) {
            (Some(own), Some(listed)) => Ok(own.over(listed)),
            (Some(price), None) | (None, Some(price)) => Ok(price.clone()),
            (None, None) => Err(PriceError::NoModel(model.to_owned())),
        }
    }

    /// Returns what a model took for an answer.
    ///
    /// `usage.input_tokens` holds the cached and the written ones too, whatever the provider's own counting is.
    pub fn cost(&self, model: &str, usage: &Usage, rate: Rate) -> Result<Amount, PriceError> {
        let special = usage.cached_tokens.saturating_add(usage.cache_write_tokens);
        let plain = usage.input_tokens.saturating_sub(special);
        if !usage.uncounted && plain == 0 && special == 0 && usage.output_tokens == 0 {
            return Ok(Amount::ZERO);
        }
        let price = self.of(model)?;
        // What costs nothing costs nothing however much of it there was.
        let free = |price: Option<f64>| price == Some(0.0);
        if usage.uncounted && !(free(price.input) && free(price.output)) {
            return Err(PriceError::Uncounted(model.to_owned()));
        }
        let (input, cached_input, cache_write, output) = match &price.long {
            Some(long) if usage.input_tokens > long.above => {
                (long.input, long.cached_input, long.cache_write, long.output)
            }
            Some(_) | None => (
                price.input,
                price.cached_input,
                price.cache_write,
                price.output,
            ),
        };
        let mut pico: u128 = 0;
        for (tokens, price, what) in [
            (plain, input, "input"),
            (usage.cached_tokens, cached_input, "cached_input"),
            (usage.cache_write_tokens, cache_write, "cache_write"),
            (usage.output_tokens, output, "output"),
        ] {
            if tokens > 0 {
                let each = millionths(price, model, what)?;
                pico = pico.saturating_add(u128::from(tokens).saturating_mul(each));
            }
        }
        if rate == Rate::Batch {
            let factor = millionths(price.batch, model, "batch")?;
            pico = pico.saturating_mul(factor).saturating_add(MILLION / 2) / MILLION;
        }
        Ok(Amount::from_pico(pico))
    }
}

const MILLION: u128 = 1_000_000;

/// Returns a price in picodollars for each token, or a factor in millionths.
fn millionths(number: Option<f64>, model: &str, what: &'static str) -> Result<u128, PriceError> {
    let missing = || PriceError::NoPrice {
        model: model.to_owned(),
        what,
    };
    let number = number
        .filter(|number| (0.0..=1e9).contains(number))
        .ok_or_else(missing)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 10^15"
    )]
    Ok((number * 1e6).round() as u128)
}

#[cfg(test)]
mod tests;
