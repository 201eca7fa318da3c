//! Counts what a reader left out, by reason.

use std::collections::BTreeMap;

use serde::Serialize;

use synix_core::skipped::example;
use synix_sandbox::{SkipReason, Skipped};

/// The most examples of one reason.
const EXAMPLES: usize = 3;

/// How much a reader left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkipCount {
    /// The name of the reason.
    pub reason: &'static str,
    /// How often.
    pub count: u64,
    /// The first ones, each with its file and place.
    pub examples: Vec<String>,
}

/// Counts by reason.
#[derive(Debug, Default)]
pub(super) struct SkipCounts(BTreeMap<SkipReason, SkipCount>);

impl SkipCounts {
    pub(super) fn add(&mut self, file: &str, skipped: &Skipped) {
        let counted = self.0.entry(skipped.reason).or_insert_with(|| SkipCount {
            reason: skipped.reason.name(),
            count: 0,
            examples: Vec::new(),
        });
        counted.count += 1;
        if counted.examples.len() < EXAMPLES {
            let example = example(file, &skipped.place, &skipped.what);
            counted.examples.push(example);
        }
    }

    pub(super) fn list(self) -> Vec<SkipCount> {
        self.0.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_its_count_and_its_first_examples() {
        let mut counts = SkipCounts::default();
        for line in 1..=5 {
            let place = if line == 2 {
                String::new()
            } else {
                format!("line {line}")
            };
            let skipped = Skipped {
                place,
                what: "a row".to_owned(),
                reason: SkipReason::Unreadable,
            };
            counts.add("a.csv", &skipped);
        }
        let expected = SkipCount {
            reason: "unreadable",
            count: 5,
            examples: [
                "a.csv: line 1: a row",
                "a.csv: a row",
                "a.csv: line 3: a row",
            ]
            .map(str::to_owned)
            .to_vec(),
        };
        assert_eq!(counts.list(), [expected]);
    }
}
