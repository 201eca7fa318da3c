//! `costs`: shows what the builds of a pipeline cost.

use synix_core::exit_code::ExitCode;
use synix_engine::view::{CostGroup, CostSum, Costs};

use super::outcome::{format_cost, format_tokens};
use crate::args::{self, Global};
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

pub(super) fn run(
    global: &Global,
    args: &args::Costs,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let costs = synix_project::costs(&global.options(None), &args.by)?;
    screen.print_result(&costs, || result_lines(&costs, &args.by))?;
    Ok(ExitCode::Success)
}

fn result_lines(costs: &Costs, by: &[CostGroup]) -> Lines {
    let row = |sum: &CostSum| -> [String; 8] {
        let requests = sum.requests;
        [
            group_name(sum, by),
            requests.sync.to_string(),
            requests.batch.to_string(),
            requests.unclear.to_string(),
            format_tokens(sum.tokens.input),
            format_tokens(sum.tokens.cached),
            format_tokens(sum.tokens.output),
            format_cost(sum.cost_usd),
        ]
    };
    let mut rows: Vec<[String; 8]> = costs.costs.iter().map(row).collect();
    let mut total = row(&costs.total);
    "total".clone_into(&mut total[0]);
    rows.push(total);
    let columns = [
        Column::Left("costs"),
        Column::Right("sync"),
        Column::Right("batch"),
        Column::Right("unclear"),
        Column::Right("tokens in"),
        Column::Right("cached"),
        Column::Right("out"),
        Column::Right("cost"),
    ];
    let mut lines = Lines::default();
    lines.table(columns, rows);
    lines.extend(costs.total.unpriced.iter().cloned());
    lines
}

/// Returns the name of a row: what the user divided the costs by, in the order of the columns in JSON.
fn group_name(sum: &CostSum, by: &[CostGroup]) -> String {
    let parts = [
        (CostGroup::Day, &sum.day),
        (CostGroup::Layer, &sum.layer),
        (CostGroup::Model, &sum.model),
        (CostGroup::Build, &sum.build),
    ];
    let named = parts.iter().filter(|(group, _)| by.contains(group));
    let named = named.map(|(_, name)| match name.as_deref() {
        None | Some("") => "-",
        Some(name) => name,
    });
    named.collect::<Vec<_>>().join(" ")
}
