//! The cost of requests: the price table, costs of single requests, and totals.
//!
//! The state stores token counts. Costs are computed from them when they are shown, with the prices of the pipeline file
//! or of the built-in table. A request without a known price has an unknown cost, never a cost of zero.
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
//! assert!(prices.cost("unknown-model", &usage, Rate::Sync).is_err());
//! # Ok::<(), synix_prices::PriceError>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod amount;
mod basis;
mod cut;
mod encodings;
mod estimate;
mod images;
mod ledger;
mod table;
mod tokens;
mod totals;
mod window;

use std::collections::BTreeMap;

pub use amount::Amount;
pub use basis::{Basis, ExpectedCost, InputSums};
pub use cut::cut_to_window;
pub use estimate::Estimate;
pub use images::UncountedImage;
pub use ledger::{BudgetExcess, Ledger};
pub use table::{LongPrice, Price, price_date};
pub use totals::{Bill, Forecast};
pub use window::{WindowExcess, WindowOrigin, check_window, context_window};

use synix_core::request::Usage;

/// Why a cost is unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum PriceError {
    /// Neither the table nor the pipeline file has a price for the model.
    #[error("no price is known for model `{0}`; add [prices.\"{0}\"] to the pipeline file")]
    NoModel(String),
    /// The model's entry lacks a required price.
    #[error(
        "no price is known for the {what} of model `{model}`; add `{what}` to [prices.\"{model}\"] in the pipeline file"
    )]
    NoPrice {
        /// The model.
        model: String,
        /// The key of the price.
        what: &'static str,
    },
    /// The output of a request has no limit, so its cost has none.
    #[error(
        "requests to model `{0}` have no max_tokens, so their cost has no upper limit; set `max_tokens` in its model role"
    )]
    NoLimit(String),
    /// A request contains a picture, and no rule is known that counts its tokens.
    #[error(
        "cannot estimate requests to model `{0}`: how many tokens it takes for a picture is not known"
    )]
    NoImageRule(String),
    /// A request contains a picture whose width and height cannot be read.
    #[error(
        "cannot estimate requests to model `{0}`: the width and the height of a picture cannot be read; is the file damaged?"
    )]
    NoImageSize(String),
    /// The provider reported no token counts.
    #[error("the provider of model `{0}` did not report how many tokens it counted")]
    Uncounted(String),
    /// The pipeline file, which may contain prices, is unusable.
    #[error("prices are unknown: {0}")]
    Unusable(String),
}

/// How a request is sent, which affects its price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// As a single call.
    Sync,
    /// In a batch.
    Batch,
}

/// Prices of models: those of a pipeline file and, where it has none, those of the built-in table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices {
    own: BTreeMap<String, Price>,
    /// Why all prices are unknown.
    problem: Option<String>,
}

impl Prices {
    /// Returns prices that use `own`, by model, before the built-in table.
    pub const fn new(own: BTreeMap<String, Price>) -> Self {
        Self { own, problem: None }
    }

    /// Returns unknown prices with the reason.
    pub const fn unavailable(problem: String) -> Self {
        Self {
            own: BTreeMap::new(),
            problem: Some(problem),
        }
    }

    /// Returns the price of a model.
    pub fn get(&self, model: &str) -> Result<Price, PriceError> {
        if let Some(problem) = &self.problem {
            return Err(PriceError::Unusable(problem.clone()));
        }
        match (
            table::find(&self.own, model),
            table::find(table::built_in(), model),
        ) {
            (Some(own), Some(built_in)) => Ok(own.or_defaults(built_in)),
            (Some(price), None) | (None, Some(price)) => Ok(price.clone()),
            (None, None) => Err(PriceError::NoModel(model.to_owned())),
        }
    }

    /// Returns the cost of an answer.
    ///
    /// `usage.input_tokens` includes cached tokens and cache writes, for every provider.
    pub fn cost(&self, model: &str, usage: &Usage, rate: Rate) -> Result<Amount, PriceError> {
        let special = usage.cached_tokens.saturating_add(usage.cache_write_tokens);
        let plain = usage.input_tokens.saturating_sub(special);
        if !usage.uncounted && plain == 0 && special == 0 && usage.output_tokens == 0 {
            return Ok(Amount::ZERO);
        }
        let price = self.get(model)?;
        // A model that is free stays free for any number of tokens.
        let is_free = |price: Option<f64>| price == Some(0.0);
        if usage.uncounted && !(is_free(price.input) && is_free(price.output)) {
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
                let per_token = millionths(price, model, what)?;
                pico = pico.saturating_add(u128::from(tokens).saturating_mul(per_token));
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

/// Returns a price in picodollars per token, or a factor in millionths.
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
        reason = "the value is an integer from 0 to 10^15"
    )]
    Ok((number * 1e6).round() as u128)
}

#[cfg(test)]
mod tests;
