//! Lists stale units, grouped by their reasons.

use std::collections::BTreeMap;

use synix_engine::plan::{PlanLayer, PlanUnit};

use super::counted;

/// The maximum number of units that are named for one reason.
const NAMED: usize = 3;
/// The maximum number of reasons that are shown for a single unit.
const REASONS: usize = 3;

/// Groups stale units by their reasons, the largest group first.
pub(super) fn groups(units: &[PlanUnit]) -> Vec<String> {
    let mut groups: BTreeMap<(bool, String), Vec<&PlanUnit>> = BTreeMap::new();
    for unit in units {
        groups
            .entry((unit.guess, general_reasons(unit)))
            .or_default()
            .push(unit);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((guess, _), units)| (*guess, std::cmp::Reverse(units.len())));
    let line = |((guess, general), units): ((bool, String), Vec<&PlanUnit>)| {
        let likely = if guess { "likely, " } else { "" };
        if let [unit] = units[..] {
            return format!("  {}: {likely}{}", unit.unit, specific_reasons(unit));
        }
        let names: Vec<&str> = units
            .iter()
            .take(NAMED)
            .map(|unit| unit.unit.as_str())
            .collect();
        let more = match units.len().saturating_sub(names.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "  {} units: {likely}{general} ({}{more})",
            units.len(),
            names.join(", ")
        )
    };
    groups.into_iter().map(line).collect()
}

/// Returns a line for the expected units that have no name yet.
pub(super) fn unnamed_units(layer: &PlanLayer) -> Option<String> {
    let named = layer.stale_units.len() as u64;
    let more = layer.stale_guess?.checked_sub(named)?;
    (more > 0).then(|| {
        format!(
            "  about {}: likely, not named yet",
            counted(more, "more unit")
        )
    })
}

/// Returns the reasons of a unit without the names of its inputs, so that units can share them.
fn general_reasons(unit: &PlanUnit) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for reason in &unit.reasons {
        let reason = reason.summary();
        if !reason.is_empty() && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.join(", ")
}

/// Returns the reasons of a unit with the names of its inputs.
fn specific_reasons(unit: &PlanUnit) -> String {
    let shown = unit.reasons.iter().take(REASONS);
    let mut reasons: Vec<_> = shown.map(ToString::to_string).collect();
    if unit.reasons.len() > REASONS {
        reasons.push(format!("and {} more", unit.reasons.len() - REASONS));
    }
    reasons.join(", ")
}

#[cfg(test)]
mod tests {
    use synix_core::fingerprint::StaleReason;

    use super::*;

    fn stale(unit: &str, reasons: Vec<StaleReason>) -> PlanUnit {
        PlanUnit {
            unit: unit.to_owned(),
            reasons,
            guess: false,
        }
    }

    fn source(label: &str) -> StaleReason {
        StaleReason::Source {
            label: label.to_owned(),
            old: "a".to_owned(),
            new: "b".to_owned(),
        }
    }

    #[test]
    fn units_with_the_same_reason_share_a_line() {
        let mut units: Vec<_> = ["a", "b", "c", "d"]
            .map(|name| stale(name, vec![source(name)]))
            .into();
        units.push(stale("e", vec![StaleReason::New]));
        assert_eq!(
            groups(&units),
            [
                "  4 units: source file changed (a, b, c and 1 more)",
                "  e: new"
            ]
        );
    }

    #[test]
    fn likely_units_are_marked_and_listed_last() {
        let guess = PlanUnit {
            guess: true,
            ..stale(
                "2025-02",
                vec![StaleReason::InputStale {
                    input: "tagged/x".to_owned(),
                }],
            )
        };
        assert_eq!(
            groups(&[guess, stale("a", vec![StaleReason::New])]),
            ["  a: new", "  2025-02: likely, input tagged/x is stale"]
        );
    }
}
