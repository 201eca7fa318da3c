//! The built-in price table and its entries.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The prices of a model in US dollars per million tokens; `None` means unknown.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input without cache reads and cache writes.
    pub input: Option<f64>,
    /// Input read from the provider's cache.
    pub cached_input: Option<f64>,
    /// Input written to the provider's cache.
    pub cache_write: Option<f64>,
    /// Output, including reasoning.
    pub output: Option<f64>,
    /// The factor that applies to all prices in a batch.
    pub batch: Option<f64>,
    /// The prices that apply instead to all tokens of a request with a long input.
    pub long: Option<LongPrice>,
}

/// The prices of a request with a long input.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPrice {
    /// They apply if the input has more tokens than this.
    pub above: u64,
    /// As in [`Price`].
    pub input: Option<f64>,
    /// As in [`Price`].
    pub cached_input: Option<f64>,
    /// As in [`Price`].
    pub cache_write: Option<f64>,
    /// As in [`Price`].
    pub output: Option<f64>,
}

impl Price {
    /// Fills unknown prices from `defaults`.
    ///
    /// The prices for long inputs are only filled if `self` has no price that could contradict them.
    pub(super) fn or_defaults(&self, defaults: &Self) -> Self {
        let has_no_price = self.input.is_none()
            && self.cached_input.is_none()
            && self.cache_write.is_none()
            && self.output.is_none();
        Self {
            input: self.input.or(defaults.input),
            cached_input: self.cached_input.or(defaults.cached_input),
            cache_write: self.cache_write.or(defaults.cache_write),
            output: self.output.or(defaults.output),
            batch: self.batch.or(defaults.batch),
            long: self
                .long
                .clone()
                .or_else(|| defaults.long.clone().filter(|_| has_no_price)),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Table {
    date: String,
    providers: BTreeMap<String, ProviderPrices>,
}

#[derive(Debug, Deserialize)]
struct ProviderPrices {
    batch: f64,
    models: BTreeMap<String, Price>,
}

/// The built-in table. A test parses it, so the fallback to an empty table never happens.
static TABLE: LazyLock<(String, BTreeMap<String, Price>)> = LazyLock::new(|| {
    serde_json::from_str::<Table>(include_str!("prices.json")).map_or_else(
        |_| Default::default(),
        |table| {
            let models = table.providers.into_values().flat_map(|provider| {
                let batch = Some(provider.batch);
                provider.models.into_iter().map(move |(model, price)| {
                    let batch = price.batch.or(batch);
                    (model, Price { batch, ..price })
                })
            });
            (table.date, models.collect())
        },
    )
});

/// Returns the date of the built-in prices.
pub fn price_date() -> &'static str {
    &TABLE.0
}

/// Returns the built-in prices by model.
pub(super) fn built_in() -> &'static BTreeMap<String, Price> {
    &TABLE.1
}

/// Returns the entry of a model. A dated version without an entry has that of its family.
pub(super) fn find<'a, T>(models: &'a BTreeMap<String, T>, model: &str) -> Option<&'a T> {
    models.get(model).or_else(|| models.get(family(model)?))
}

/// Returns the name of a dated version without its date.
///
/// No other suffix is removed: `gpt-4o-audio-preview` has other prices than `gpt-4o`.
fn family(model: &str) -> Option<&str> {
    if let Some(family) = model.strip_suffix("-latest") {
        return Some(family);
    }
    let strip_date = |pattern: &str| {
        let at = model.len().checked_sub(pattern.len())?;
        let (family, date) = model.split_at_checked(at)?;
        let fits = date
            .bytes()
            .zip(pattern.bytes())
            .all(|(byte, pattern)| match pattern {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            });
        fits.then_some(family)
    };
    strip_date("-0000-00-00").or_else(|| strip_date("-00000000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_table_is_complete() {
        assert_eq!(price_date().len(), 10);
        assert!(built_in().len() > 40);
        for (model, price) in built_in() {
            assert!(price.input.is_some() && price.output.is_some(), "{model}");
            assert_eq!(price.batch, Some(0.5), "{model}");
        }
    }

    #[test]
    fn a_dated_version_has_the_price_of_its_family() {
        let input = |model| find(built_in(), model).and_then(|price| price.input);
        assert_eq!(input("gpt-4o-mini-2024-07-18"), Some(0.15));
        assert_eq!(input("claude-haiku-4-5-20251001"), Some(1.0));
        assert_eq!(input("claude-3-5-haiku-latest"), Some(0.8));
        assert_eq!(input("claude-sonnet-4-20250514"), Some(3.0));
        // A version with its own entry uses it.
        assert_eq!(input("gpt-4o-2024-05-13"), Some(5.0));
    }

    /// M9: an unknown model has no price, even if its name starts with a known one.
    #[test]
    fn a_variant_of_a_known_model_has_no_price() {
        for model in [
            "gpt-4o-audio-preview",
            "gpt-4o-mini-tts",
            "gpt-5-pro",
            "claude-opus-9",
            "ft:gpt-4o-mini-2024-07-18:us:x",
            "",
            "ü",
        ] {
            assert_eq!(find(built_in(), model), None, "{model}");
        }
    }
}
