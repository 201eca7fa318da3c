//! `plan` and `batch-build plan`.

use std::collections::BTreeMap;

use synix_core::exit_code::ExitCode;
use synix_engine::plan::{Asking, Plan, PlanLayer, PlanUnit};
use synix_prices::Amount;
use synix_project::Project;
use synix_store::BuildKind;

use crate::args::{Global, PipelineArg};
use crate::failure;
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

/// Lines of a list that are shown; the rest is in `--json`.
const SHOWN: usize = 100;
/// Units that are named for one reason.
const NAMED: usize = 3;
/// Reasons shown for a unit by itself.
const REASONS: usize = 3;

pub(super) fn run(
    global: &Global,
    args: &PipelineArg,
    kind: BuildKind,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    failure::leave_when_interrupted(screen)?;
    let project = Project::open(&global.options(args.pipeline.as_ref()))?;
    for change in project.lock_changes() {
        screen.talk(&format!("{}: {change}", project.lock_name()));
    }
    for warning in project.warnings() {
        screen.talk(&format!("warning: {warning}"));
    }
    let plan = project.plan(kind)?;
    screen.answer(&plan, || text(&plan))?;
    Ok(ExitCode::Success)
}

fn text(plan: &Plan) -> Lines {
    let mut rows: Vec<_> = plan.layers.iter().map(row).collect();
    rows.push(total(plan));
    let columns = [
        Column::Left("layer"),
        Column::Left("mode"),
        Column::Right("units"),
        Column::Right("stale"),
        Column::Right("requests"),
        Column::Right("tokens in"),
        Column::Right("tokens out"),
        Column::Right("cost"),
    ];
    let mut lines = Lines::default();
    lines.table(columns, rows);
    lines.extend(notes(plan));
    lines.extend(plan.unpriced.iter().cloned());
    for layer in plan.layers.iter().filter(|layer| layer.allow_hidden) {
        lines.push(format!(
            "layer {} may read hidden files, such as .env and .git: it says allow_hidden = true",
            layer.name
        ));
    }
    let mut stale = Vec::new();
    let mut failed = Vec::new();
    for layer in &plan.layers {
        if !layer.stale_units.is_empty() {
            stale.push(String::new());
            stale.push(format!("stale in {}:", layer.name));
            stale.extend(groups(&layer.stale_units));
            stale.extend(nameless(layer));
        }
        if !layer.failures.is_empty() {
            failed.push(String::new());
            failed.push(format!("cannot be made in {}:", layer.name));
            let failures = layer.failures.iter();
            failed.extend(failures.map(|unit| format!("  {}: {}", unit.unit, unit.message)));
        }
    }
    lines.extend(cut(stale));
    lines.extend(cut(failed));
    lines
}

/// Explains what stands in the table.
fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    let total = &plan.total;
    let on_record: Vec<&str> = plan
        .layers
        .iter()
        .filter(|layer| is_on_record(layer))
        .map(|layer| layer.name.as_str())
        .collect();
    if !on_record.is_empty() {
        notes.push(format!(
            "all answers are on record, so these layers send nothing: {}",
            on_record.join(", ")
        ));
    }
    if total.asking.missing > 0 {
        let verb = if total.asking.missing == 1 {
            "is"
        } else {
            "are"
        };
        notes.push(format!(
            "{} {verb} missing from the cassette, so a replay cannot make their units; `synix build --cassette-mode record` records them",
            counted(total.asking.missing, "answer")
        ));
    }
    if !total.asking.exact {
        let known = match (total.asking.requests, total.asking.cost_usd_known) {
            (0, _) | (_, None) => String::new(),
            (requests, Some(cost)) => format!(
                "; the {} known now {} up to {}",
                counted(requests, "request"),
                if requests == 1 { "costs" } else { "cost" },
                at_most(cost)
            ),
        };
        notes.push(format!(
            "+: at least this much, because answers may lead to more{known}"
        ));
    }
    let layers = || plan.layers.iter();
    if layers().any(is_unknown) {
        notes.push("?: not known before the answers it follows from".to_owned());
    }
    for layer in layers() {
        let asking = &layer.asking;
        if let Some(most) = asking.requests_max.filter(|_| !asking.exact) {
            notes.push(format!(
                "{}: {} at most",
                layer.name,
                counted(most, "request")
            ));
        }
    }
    if layers().any(|layer| layer.units_guess.is_some() || layer.stale_guess.is_some()) {
        notes.push(
            "~: a guess, for units: as many as the last build had, or one for each input"
                .to_owned(),
        );
    }
    if total.asking.input_tokens_estimated {
        notes.push("~: estimated, for tokens: only the provider can count them".to_owned());
    }
    if total.asking.in_flight > 0 {
        notes.push(format!(
            "{} in flight already and not counted here",
            are(total.asking.in_flight)
        ));
    }
    notes.extend(layers().filter_map(paid));
    notes
}

fn are(requests: u64) -> String {
    let verb = if requests == 1 { "is" } else { "are" };
    format!("{} {verb}", counted(requests, "request"))
}

/// Says what was paid for and is not asked again unless somebody says so.
fn paid(layer: &PlanLayer) -> Option<String> {
    let again = &layer.retry_failed;
    if again.requests == 0 {
        return None;
    }
    let kinds: Vec<_> = again
        .kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let cost = again.cost_usd.map_or_else(
        || "an unknown cost".to_owned(),
        |cost| format!("up to {}", at_most(cost)),
    );
    Some(format!(
        "{}: {} with --retry-failed ({}), for {cost}; the answers were paid for and cannot be used",
        layer.name,
        counted(again.requests, "more request"),
        kinds.join(", ")
    ))
}

/// Writes a number with its noun.
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn row(layer: &PlanLayer) -> [String; 8] {
    let [requests, input, output, cost] = if asks_nothing(layer) {
        ["0", "-", "-", "-"].map(str::to_owned)
    } else {
        asking(&layer.asking)
    };
    [
        layer.name.clone(),
        layer.mode.to_owned(),
        units(layer.units, layer.units_guess, layer.units_exact),
        units(layer.stale, layer.stale_guess, layer.units_exact),
        requests,
        input,
        output,
        cost,
    ]
}

fn total(plan: &Plan) -> [String; 8] {
    let total = &plan.total;
    let [requests, input, output, cost] = if plan.layers.iter().all(asks_nothing) {
        ["0", "-", "-", "-"].map(str::to_owned)
    } else {
        asking(&total.asking)
    };
    [
        "total".to_owned(),
        String::new(),
        units(total.units, total.units_guess, total.units_exact),
        units(total.stale, total.stale_guess, total.units_exact),
        requests,
        input,
        output,
        cost,
    ]
}

/// A layer without requests to price, now or behind answers that are not known.
const fn asks_nothing(layer: &PlanLayer) -> bool {
    layer.asking.exact && layer.asking.requests == 0
}

/// A layer that has units to make and every answer they ask for.
const fn is_on_record(layer: &PlanLayer) -> bool {
    asks_nothing(layer)
        && layer.asking.answered > 0
        && layer.asking.in_flight == 0
        && layer.asking.missing == 0
}

/// A layer with a number that nothing tells.
const fn is_unknown(layer: &PlanLayer) -> bool {
    let no_units = !layer.units_exact && layer.units_guess.is_none() && layer.units == 0;
    no_units || !layer.asking.exact
}

fn units(known: u64, guess: Option<u64>, exact: bool) -> String {
    match guess {
        Some(guess) => format!("~{guess}"),
        None if exact => known.to_string(),
        None if known == 0 => "?".to_owned(),
        None => format!("{known}+"),
    }
}

/// Requests, tokens and cost: exact or bounded from above where nothing can follow, else bounded from below.
fn asking(asking: &Asking) -> [String; 4] {
    if !asking.exact && asking.requests == 0 {
        return ["?", "?", "?", "?"].map(str::to_owned);
    }
    let more = if asking.exact { "" } else { "+" };
    let unknown = || "unknown".to_owned();
    let sign = if asking.input_tokens_estimated {
        "~"
    } else {
        ""
    };
    let input = asking
        .input_tokens
        .map_or_else(unknown, |tokens| format!("{sign}{tokens}{more}"));
    let (output, cost) = if asking.exact {
        (
            asking
                .output_tokens_max
                .map_or_else(unknown, |tokens| format!("up to {tokens}")),
            asking
                .cost_usd_max
                .map_or_else(unknown, |cost| format!("up to {}", at_most(cost))),
        )
    } else {
        (
            "?".to_owned(),
            asking
                .cost_usd_min
                .map_or_else(unknown, |cost| format!("{}+", at_least(cost))),
        )
    };
    [format!("{}{more}", asking.requests), input, output, cost]
}

/// Writes an amount that is a lower bound: rounded down, and never to nothing.
fn at_least(amount: Amount) -> String {
    let text = format!("{:.12}", amount.usd());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let zeros = fraction.len() - fraction.trim_start_matches('0').len();
    let digits = if whole == "0" && zeros >= 4 && zeros < fraction.len() {
        zeros + 2
    } else {
        4
    };
    let fraction: String = fraction.chars().take(digits).collect();
    format!("${whole}.{fraction}")
}

/// Writes an amount that is an upper bound: rounded up.
fn at_most(amount: Amount) -> String {
    let text = format!("{:.12}", amount.usd());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (shown, rest) = fraction.split_at(fraction.len().min(4));
    let units: u128 = format!("{whole}{shown}").parse().unwrap_or(u128::MAX);
    let more = rest.bytes().any(|digit| digit != b'0');
    let units = units.saturating_add(more.into());
    format!("${}.{:04}", units / 10_000, units % 10_000)
}

/// Groups stale units by their reasons, the largest group first.
fn groups(units: &[PlanUnit]) -> Vec<String> {
    let mut groups: BTreeMap<(bool, String), Vec<&PlanUnit>> = BTreeMap::new();
    for unit in units {
        groups
            .entry((unit.guess, in_general(unit)))
            .or_default()
            .push(unit);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((guess, _), units)| (*guess, std::cmp::Reverse(units.len())));
    let line = |((guess, general), units): ((bool, String), Vec<&PlanUnit>)| {
        let likely = if guess { "likely, " } else { "" };
        if let [unit] = units[..] {
            return format!("  {}: {likely}{}", unit.unit, in_particular(unit));
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

/// Counts what is foreseen and has no name yet.
fn nameless(layer: &PlanLayer) -> Option<String> {
    let named = layer.stale_units.len() as u64;
    let more = layer.stale_guess?.checked_sub(named)?;
    (more > 0).then(|| {
        format!(
            "  about {}: likely, not named yet",
            counted(more, "more unit")
        )
    })
}

/// The reasons of a unit in words that it may share with others.
fn in_general(unit: &PlanUnit) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for reason in &unit.reasons {
        let reason = reason.summary();
        if !reason.is_empty() && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.join(", ")
}

/// The reasons of a unit with the names of its inputs.
fn in_particular(unit: &PlanUnit) -> String {
    let shown = unit.reasons.iter().take(REASONS);
    let mut reasons: Vec<_> = shown.map(ToString::to_string).collect();
    if unit.reasons.len() > REASONS {
        reasons.push(format!("and {} more", unit.reasons.len() - REASONS));
    }
    reasons.join(", ")
}

/// Cuts a list to what fits a screen.
fn cut(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.truncate(SHOWN);
        lines.push(format!(
            "  and {}; --json has them all",
            counted(more as u64, "more line")
        ));
    }
    lines
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
    fn units_that_are_stale_for_one_reason_are_one_line() {
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
    fn what_is_only_likely_says_so_and_stands_last() {
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

    /// U2: a lower bound is never shown as nothing, and never rounded up.
    #[test]
    fn a_small_lower_bound_keeps_its_digits() {
        let shown = |usd| at_least(Amount::from_usd(usd).unwrap());
        assert_eq!(shown(0.000_007_8), "$0.0000078");
        assert_eq!(shown(0.000_15), "$0.0001");
        assert_eq!(shown(1.234_59), "$1.2345");
        assert_eq!(shown(0.000_000_000_1), "$0.00000000010");
    }

    /// A bound that is rounded down would be none.
    #[test]
    fn an_upper_bound_is_rounded_up() {
        let shown = |usd| at_most(Amount::from_usd(usd).unwrap());
        assert_eq!(shown(0.0), "$0.0000");
        assert_eq!(shown(0.000_000_1), "$0.0001");
        assert_eq!(shown(0.000_2), "$0.0002");
        assert_eq!(shown(1.999_91), "$2.0000");
    }

    #[test]
    fn long_lists_are_cut() {
        let lines = cut((0..SHOWN + 5).map(|line| line.to_string()).collect());
        assert_eq!(lines.len(), SHOWN + 1);
        assert_eq!(lines[SHOWN], "  and 5 more lines; --json has them all");
        assert_eq!(cut(vec!["a".to_owned()]).len(), 1);
    }

    #[test]
    fn what_is_not_known_is_a_question_mark_and_a_guess_is_marked() {
        assert_eq!(units(0, None, false), "?");
        assert_eq!(units(3, None, false), "3+");
        assert_eq!(units(3, None, true), "3");
        assert_eq!(units(3, Some(5), false), "~5");
    }
}
