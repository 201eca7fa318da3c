//! `status`: shows an overview of a pipeline on one screen.

use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_engine::view::{LastBuild, OpenBuild, Overview, OverviewLayer};

use super::{batch_build, outcome, skipped};
use crate::args::{Global, Status};
use crate::failure;
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

pub(super) fn run(global: &Global, args: &Status, screen: &Screen) -> anyhow::Result<ExitCode> {
    #[cfg(feature = "restate")]
    if args.remote.remote {
        return super::remote::show_status(global, &args.remote, args.build.as_deref(), screen);
    }
    let options = global.options(None);
    if let Some(build) = &args.build {
        batch_build::show(&synix_project::status(&options, Some(build))?, screen)?;
        return Ok(ExitCode::Success);
    }
    failure::leave_when_interrupted(screen)?;
    let overview = synix_project::overview(&options)?;
    screen.print_result(&overview, || overview_lines(&overview))?;
    Ok(ExitCode::Success)
}

pub(super) fn overview_lines(overview: &Overview) -> Lines {
    let mut lines = Lines::default();
    let of = match &overview.snapshot {
        Some(build) => format!("as of {build}"),
        None => "no build has ended yet".to_owned(),
    };
    lines.push(format!("{}: {of}", overview.pipeline));
    if !overview.layers.is_empty() {
        let columns = [
            Column::Left("layer"),
            Column::Right("artifacts"),
            Column::Right("stale"),
            Column::Right("failed"),
        ];
        lines.table(columns, overview.layers.iter().map(row).collect());
    }
    lines.push(stale_line(overview));
    let layers = overview.layers.iter();
    skipped::add(
        layers.map(|layer| (layer.name.as_str(), layer.skipped.as_slice())),
        &mut lines,
    );
    for build in &overview.builds {
        add_open_build(build, &mut lines);
    }
    if let Some(last) = &overview.last {
        add_last_build(last, &mut lines);
    }
    lines.push("");
    lines.push(format!(
        "cost of all builds: {}",
        outcome::format_cost(overview.cost_usd)
    ));
    lines.extend(overview.unpriced.iter().cloned());
    lines
}

fn row(layer: &OverviewLayer) -> [String; 4] {
    let stale = match (layer.stale, layer.stale_guess) {
        (_, Some(guess)) => format!("~{guess}"),
        (Some(stale), None) => stale.to_string(),
        (None, None) => "?".to_owned(),
    };
    [
        layer.name.clone(),
        layer.artifacts.to_string(),
        stale,
        layer.failed.to_string(),
    ]
}

/// Returns a line about what is stale.
fn stale_line(overview: &Overview) -> String {
    if let Some(error) = &overview.error {
        let message = error.message.trim_end();
        return format!("cannot find out what is stale: {message}");
    }
    let layers = overview.layers.iter();
    let units: u64 = layers
        .map(|layer| layer.stale_guess.or(layer.stale).unwrap_or(0))
        .sum();
    match units {
        0 => "everything is up to date".to_owned(),
        units => format!(
            "{}; run `synix plan` to see why and at what cost, and `synix build` to build",
            printable::pluralize(units, "stale unit")
        ),
    }
}

fn add_open_build(build: &OpenBuild, lines: &mut Lines) {
    lines.heading(format!(
        "{} {}: {} done, {} failed, {} waiting; cost so far: {}",
        build.build,
        build.status,
        build.done,
        build.failed,
        build.waiting,
        outcome::format_cost(build.cost_usd)
    ));
    lines.extend(build.batches.iter().map(|batch| {
        format!(
            "  batch {} at {}: {}, {} of {} answered",
            batch.id.as_deref().unwrap_or("without an id"),
            batch.provider,
            batch.status,
            batch.succeeded + batch.failed,
            printable::pluralize(batch.requests, "request")
        )
    }));
    if build.kind != "build" {
        let id = &build.build;
        lines.push(format!("  run `synix resume {id}` to continue it"));
    }
}

fn add_last_build(last: &LastBuild, lines: &mut Lines) {
    lines.heading(format!(
        "{} {}; cost: {}",
        last.build,
        last.status.replace('_', " "),
        outcome::format_cost(last.cost_usd)
    ));
    if let Some(error) = &last.error {
        lines.push(format!("stopped: {}", error.message));
    }
    outcome::add_failures(&last.failures, lines);
}
