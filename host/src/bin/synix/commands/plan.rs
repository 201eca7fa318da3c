//! `plan` and `batch-build plan`.

use std::collections::HashMap;

use synix::plan::{Plan, PlanLayer, PlanUnit};
use synix::project::Project;
use synix::request::FailureKind;
use synix::store::BuildKind;
use synix::view::FailureView;

use super::outcome;
use crate::args::{Global, PipelineArg};
use crate::failure::Exit;
use crate::render::{Lines, Screen};
use crate::table::Column;

/// Lines on stale units shown for each layer.
const SHOWN: usize = 10;
/// Reasons shown for each unit.
const REASONS: usize = 3;

pub(super) fn run(
    global: &Global,
    args: &PipelineArg,
    kind: BuildKind,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let project = Project::open(&global.options(args.pipeline.as_ref()))?;
    for change in project.lock_changes() {
        screen.talk(&format!("{}: {change}", project.lock_name()));
    }
    let plan = project.plan(kind)?;
    screen.answer(&plan, || text(&plan))?;
    Ok(Exit::Done)
}

fn text(plan: &Plan) -> Lines {
    let columns = [
        Column::Left("layer"),
        Column::Left("mode"),
        Column::Right("units"),
        Column::Right("stale"),
        Column::Right("requests"),
        Column::Right("tokens in"),
        Column::Right("out at most"),
        Column::Right("cost at most"),
    ];
    let mut lines = Lines::default();
    lines.table(columns, plan.layers.iter().map(row).collect());
    if plan.layers.iter().any(|layer| !layer.exact) {
        lines.push("+: at least; more may follow from answers that are not known yet");
    }
    if plan.layers.iter().any(|layer| layer.input_tokens_estimated) {
        lines.push("~: estimated; only the provider can count these tokens");
    }
    lines.extend(plan.unpriced.iter().cloned());
    lines.extend(plan.layers.iter().filter_map(paid));
    for layer in plan
        .layers
        .iter()
        .filter(|layer| !layer.stale_units.is_empty())
    {
        lines.heading(format!("stale in {}:", layer.name));
        stale(&layer.stale_units, &mut lines);
    }
    let failures: Vec<FailureView> = plan
        .layers
        .iter()
        .flat_map(|layer| {
            layer.failures.iter().map(|unit| FailureView {
                layer: layer.name.clone(),
                unit: unit.unit.clone(),
                kind: FailureKind::Guest.name().to_owned(),
                message: unit.message.clone(),
            })
        })
        .collect();
    outcome::failures(&failures, &mut lines);
    lines
}

/// Shows stale units; those that are stale for the same reasons in one line.
fn stale(units: &[PlanUnit], lines: &mut Lines) {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for unit in units {
        let why = reasons(unit);
        let at = *known.entry(why.clone()).or_insert_with(|| {
            groups.push((why, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(&unit.unit);
    }
    for (why, units) in groups.iter().take(SHOWN) {
        lines.push(match units[..] {
            [unit] => format!("  {unit}: {why}"),
            [one, two] => format!("  {one}, {two}: {why}"),
            [one, two, three] => format!("  {one}, {two}, {three}: {why}"),
            [one, two, ..] => format!("  {one}, {two} and {} more: {why}", units.len() - 2),
            [] => continue,
        });
    }
    let more: usize = groups
        .iter()
        .skip(SHOWN)
        .map(|(_, units)| units.len())
        .sum();
    if more > 0 {
        lines.push(format!("  and {more} more; --json names them all"));
    }
}

fn row(layer: &PlanLayer) -> [String; 8] {
    let more = if layer.exact { "" } else { "+" };
    let known = |number: u64| format!("{number}{more}");
    let sum = |tokens: Option<u64>, estimated: bool| match tokens {
        _ if asks_nothing(layer) => "-".to_owned(),
        None => "unknown".to_owned(),
        Some(tokens) if estimated => format!("~{tokens}{more}"),
        Some(tokens) => known(tokens),
    };
    [
        layer.name.clone(),
        layer.mode.to_owned(),
        known(layer.units),
        known(layer.stale),
        known(layer.requests),
        sum(layer.input_tokens, layer.input_tokens_estimated),
        sum(layer.output_tokens_max, false),
        cost(layer, more),
    ]
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
    let cost = again
        .cost_usd
        .map_or_else(|| "unknown".to_owned(), |cost| cost.to_string());
    Some(format!(
        "{}: {} more requests with --retry-failed ({}), cost at most: {cost}; they were paid for without a usable answer",
        layer.name,
        again.requests,
        kinds.join(", ")
    ))
}

/// A layer without requests to price, now or behind answers that are not known.
fn asks_nothing(layer: &PlanLayer) -> bool {
    layer.requests == 0 && (layer.exact || matches!(layer.mode, "source" | "none"))
}

fn cost(layer: &PlanLayer, more: &str) -> String {
    match layer.cost_usd {
        _ if asks_nothing(layer) => "-".to_owned(),
        None => "unknown".to_owned(),
        Some(cost) => format!("{cost}{more}"),
    }
}

fn reasons(unit: &PlanUnit) -> String {
    let mut reasons: Vec<_> = unit
        .reasons
        .iter()
        .take(REASONS)
        .map(ToString::to_string)
        .collect();
    if unit.reasons.len() > REASONS {
        reasons.push(format!("and {} more", unit.reasons.len() - REASONS));
    }
    reasons.join("; ")
}
