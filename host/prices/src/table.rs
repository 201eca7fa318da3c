//! The price table that comes with synix, and what one entry of it says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Prices of one model in US dollars per million tokens; `None`: not known.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input that is neither read from a cache nor written to it.
    pub input: Option<f64>,
    /// Input read from the provider's cache.
    pub cached_input: Option<f64>,
    /// Input written to the provider's cache.
    pub cache_write: Option<f64>,
    /// Output, reasoning included.
    pub output: Option<f64>,
    /// The factor on all of them in a batch.
    pub batch: Option<f64>,
    /// What applies to the whole of a request with a long input instead.
    pub long: Option<LongPrice>,
}

/// Prices of a request with a long input.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPrice {
    /// They apply where the input has more tokens than this.
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
    /// Returns this price with what it leaves open taken from `below`.
    ///
    /// Prices for long inputs stay only where nothing of `self` could contradict them.
    pub(super) fn over(&self, below: &Self) -> Self {
        let silent = self.input.is_none()
            && self.cached_input.is_none()
            && self.cache_write.is_none()
            && self.output.is_none();
        Self {
            input: self.input.or(below.input),
            cached_input: self.cached_input.or(below.cached_input),
            cache_write: self.cache_write.or(below.cache_write),
            output: self.output.or(below.output),
            batch: self.batch.or(below.batch),
            long: self
                .long
                .clone()
                .or_else(|| below.long.clone().filter(|_| silent)),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Table {
    date: String,
    providers: BTreeMap<String, Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    batch: f64,
    models: BTreeMap<String, Price>,
}

/// The table as it was compiled in; a test reads it, so it is never the empty fallback.
static TABLE: LazyLock<(String, BTreeMap<String, Price>)> = LazyLock::new(|| {
    serde_json::from_str::<Table>(include_str!("prices.json")).map_or_else(
        |_| Default::default(),
        |table| {
            let models = table.providers.into_values().flat_map(|listed| {
                let batch = Some(listed.batch);
                listed.models.into_iter().map(move |(model, price)| {
                    let batch = price.batch.or(batch);
                    (model, Price { batch, ..price })
                })
            });
            (table.date, models.collect())
        },
    )
});

/// Returns the day on which the listed prices were known.
pub fn price_date() -> &'static str {
    &TABLE.0
}

/// Returns the listed prices by model.
pub(super) fn listed() -> &'static BTreeMap<String, Price> {
    &TABLE.1
}

/// Returns the entry of `model`: its own, or of a dated snapshot that of its family.
pub(super) fn find<'a>(prices: &'a BTreeMap<String, Price>, model: &str) -> Option<&'a Price> {
    prices.get(model).or_else(|| prices.get(family(model)?))
}

/// Returns the name of a dated snapshot without its date.
///
/// Nothing else is taken off: `gpt-4o-audio-preview` does not cost what `gpt-4o` does.
fn family(model: &str) -> Option<&str> {
    if let Some(family) = model.strip_suffix("-latest") {
        return Some(family);
    }
    let date = |pattern: &str| {
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
    date("-0000-00-00").or_else(|| date("-00000000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(price_date().len(), 10);
        assert!(listed().len() > 40);
        for (model, price) in listed() {
            assert!(price.input.is_some() && price.output.is_some(), "{model}");
            assert_eq!(price.batch, Some(0.5), "{model}");
        }
    }

    #[test]
    fn a_dated_snapshot_costs_what_its_family_does() {
        let input = |model| find(listed(), model).and_then(|price| price.input);
        assert_eq!(input("gpt-4o-mini-2024-07-18"), Some(0.15));
        assert_eq!(input("claude-haiku-4-5-20251001"), Some(1.0));
        assert_eq!(input("claude-3-5-haiku-latest"), Some(0.8));
        assert_eq!(input("claude-sonnet-4-20250514"), Some(3.0));
        // A snapshot with an entry of its own keeps it.
        assert_eq!(input("gpt-4o-2024-05-13"), Some(5.0));
    }

    /// M9: a model that is not known has no price, whatever its name begins with.
    #[test]
    fn a_variant_of_a_known_model_is_not_taken_for_it() {
        for model in [
            "gpt-4o-audio-preview",
            "gpt-4o-mini-tts",
            "gpt-5-pro",
            "claude-opus-9",
            "ft:gpt-4o-mini-2024-07-18:us:x",
            "",
            "ü",
        ] {
            assert_eq!(find(listed(), model), None, "{model}");
        }
    }
}
