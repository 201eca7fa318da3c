//! `plan` and `batch-build plan`.

use synix::plan::{Plan, PlanLayer, PlanUnit};
use synix::project::Project;
use synix::store::BuildKind;

use crate::args::{Global, PipelineArg};
use crate::failure::Exit;
use crate::render::{Column, Screen, table};

/// Stale units shown for each layer.
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

fn text(plan: &Plan) -> String {
    let rows: Vec<_> = plan.layers.iter().map(row).collect();
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
    let mut lines = table(columns, &rows);
    if plan.layers.iter().any(|layer| !layer.exact) {
        lines.push("+: at least; more may follow from answers that are not known yet".to_owned());
    }
    if plan.layers.iter().any(|layer| layer.input_tokens_estimated) {
        lines.push("~: estimated; only the provider can count these tokens".to_owned());
    }
    lines.extend(plan.unpriced.iter().cloned());
    for layer in plan.layers.iter().filter(|layer| layer.allow_hidden) {
        lines.push(format!(
            "layer {} may read hidden files, such as .env and .git: it says allow_hidden = true",
            layer.name
        ));
    }
    for layer in plan
        .layers
        .iter()
        .filter(|layer| !layer.stale_units.is_empty())
    {
        lines.push(format!("\nstale in {}:", layer.name));
        for unit in layer.stale_units.iter().take(SHOWN) {
            lines.push(format!("  {}: {}", unit.unit, reasons(unit)));
        }
        let more = layer.stale_units.len().saturating_sub(SHOWN);
        if more > 0 {
            lines.push(format!("  and {more} more; --json names them all"));
        }
    }
    for layer in plan
        .layers
        .iter()
        .filter(|layer| !layer.failures.is_empty())
    {
        lines.push(format!("\ncannot be made in {}:", layer.name));
        lines.extend(
            layer
                .failures
                .iter()
                .map(|unit| format!("  {}: {}", unit.unit, unit.message)),
        );
    }
    lines.join("\n")
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
