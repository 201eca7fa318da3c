//! `plan` and `batch-build plan`: show what a build would do.

mod amounts;
mod stale_units;
mod table;

use synix_core::exit_code::ExitCode;
use synix_engine::plan::{Plan, PlanLayer, PlannedRequests};
use synix_project::{Options, Project};
use synix_store::BuildKind;

use amounts::at_most;
use stale_units::{groups, unnamed_units};
use table::{expected_cell, is_on_record, is_unknown, row, total};

use crate::args::{Global, Plan as PlanArgs};
use crate::commands::{outcome, skipped};
use crate::failure;
use crate::lines::Lines;
use crate::render::Screen;
use crate::table::Column;

/// The maximum number of lines of a list. `--json` has the rest.
const MAX_LINES: usize = 100;

pub(super) fn run(
    global: &Global,
    args: &PlanArgs,
    kind: BuildKind,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    failure::leave_when_interrupted(screen)?;
    let project = Project::open(&Options {
        rehash: args.files.rehash,
        trial: args.trial.options(global)?,
        ..global.options(args.pipeline.pipeline.as_ref())
    })?;
    for change in project.lock_changes() {
        screen.note(&format!("{}: {change}", project.lock_name()));
    }
    for warning in project.warnings() {
        screen.note(&format!("warning: {warning}"));
    }
    let plan = project.plan(kind)?;
    screen.print_result(&plan, || plan_lines(&plan))?;
    Ok(ExitCode::Success)
}

/// Adds the table of a plan and the notes about it.
pub(super) fn add_table(plan: &Plan, lines: &mut Lines) {
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
    // Without answers on record, the column would repeat the bound.
    if plan.total.planned.expected_from == 0 {
        lines.table(columns, rows);
    } else {
        let planned = plan.layers.iter().map(|layer| &layer.planned);
        let expected = planned.chain([&plan.total.planned]).map(expected_cell);
        let rows = rows.into_iter().zip(expected);
        let rows = rows.map(|(row, expected)| outcome::joined::<_, 8, 1, 9>(row, [expected]));
        let columns = outcome::joined::<_, 8, 1, 9>(columns, [Column::Right("expected")]);
        lines.table(columns, rows.collect());
    }
    lines.extend(note_lines(plan));
    lines.extend(plan.unpriced.iter().cloned());
}

/// Returns the lines of a plan.
fn plan_lines(plan: &Plan) -> Lines {
    let mut lines = Lines::default();
    add_table(plan, &mut lines);
    for layer in plan.layers.iter().filter(|layer| layer.allow_hidden) {
        lines.push(format!(
            "layer {} may read hidden files, such as .env and .git: it has allow_hidden = true",
            layer.name
        ));
    }
    let layers = plan.layers.iter();
    skipped::add(
        layers.map(|layer| (layer.name.as_str(), layer.skipped.as_slice())),
        &mut lines,
    );
    add_units(plan, &mut lines);
    lines
}

/// Adds the stale units with their reasons, and those that cannot be made.
pub(super) fn add_units(plan: &Plan, lines: &mut Lines) {
    let mut stale = Vec::new();
    let mut failed = Vec::new();
    for layer in &plan.layers {
        if !layer.stale_units.is_empty() {
            stale.push(String::new());
            stale.push(format!("stale in {}:", layer.name));
            stale.extend(groups(&layer.stale_units));
            stale.extend(unnamed_units(layer));
        }
        if !layer.failures.is_empty() {
            failed.push(String::new());
            failed.push(format!("cannot be made in {}:", layer.name));
            let failures = layer.failures.iter();
            failed.extend(failures.map(|unit| format!("  {}: {}", unit.unit, unit.message)));
        }
    }
    lines.extend(shorten(stale));
    lines.extend(shorten(failed));
}

/// Explains the signs in the table.
fn note_lines(plan: &Plan) -> Vec<String> {
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
            "all answers are stored, so these layers send nothing: {}",
            on_record.join(", ")
        ));
    }
    if total.planned.missing > 0 {
        let verb = if total.planned.missing == 1 {
            "is"
        } else {
            "are"
        };
        notes.push(format!(
            "{} {verb} missing from the cassette, so a replay cannot make their units; run `synix build --cassette-mode record` to record them",
            counted(total.planned.missing, "answer")
        ));
    }
    if !total.planned.exact {
        let known = match (total.planned.requests, total.planned.cost_usd_known) {
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
        notes.push("?: unknown until the upstream answers are known".to_owned());
    }
    for layer in layers() {
        let planned = &layer.planned;
        if let Some(most) = planned.requests_max.filter(|_| !planned.exact) {
            notes.push(format!(
                "{}: at most {}",
                layer.name,
                counted(most, "request")
            ));
        }
    }
    if layers().any(|layer| layer.units_guess.is_some() || layer.stale_guess.is_some()) {
        notes.push(
            "~ (units): a guess, from the last build or with one unit for each input".to_owned(),
        );
    }
    if total.planned.input_tokens_estimated {
        notes.push("~ (tokens): an estimate, because only the provider can count them".to_owned());
    }
    notes.extend(expected_line(&total.planned));
    if total.planned.in_flight > 0 {
        notes.push(format!(
            "{} already in flight and not counted here",
            count_with_verb(total.planned.in_flight)
        ));
    }
    notes.extend(layers().filter_map(repairs));
    notes.extend(layers().filter_map(retries_of_failed));
    notes
}

/// Says what the expected cost rests on.
fn expected_line(planned: &PlannedRequests) -> Option<String> {
    let cost = planned.cost_usd_expected?;
    let (median, p90) = planned.cost_usd_median.zip(planned.cost_usd_p90)?;
    let answers = planned.expected_from;
    if answers == 0 {
        return None;
    }
    let of = match planned.expected_basis {
        Some("layer") => " of the same layer and model",
        Some("model") => " of the same model",
        _ => "",
    };
    Some(format!(
        "expected: {cost} if each answer has the mean length of {} on record{of}, {median} if each has the median, {p90} if each has the 90th percentile",
        counted(answers, "answer")
    ))
}

fn count_with_verb(requests: u64) -> String {
    let verb = if requests == 1 { "is" } else { "are" };
    format!("{} {verb}", counted(requests, "request"))
}

/// Describes the requests of a layer that would follow answers that do not fit.
fn repairs(layer: &PlanLayer) -> Option<String> {
    let repairs = &layer.repairs;
    if repairs.requests == 0 {
        return None;
    }
    let cost = repairs.cost_usd.map_or_else(
        || "an unknown cost".to_owned(),
        |cost| format!("up to {}", at_most(cost)),
    );
    Some(format!(
        "{}: at most {}, for {cost}, if answers do not match their response_format",
        layer.name,
        counted(repairs.requests, "more request"),
    ))
}

/// Describes the paid requests of a layer that only `--retry-failed` sends retries.
fn retries_of_failed(layer: &PlanLayer) -> Option<String> {
    let retries = &layer.retry_failed;
    if retries.requests == 0 {
        return None;
    }
    let kinds: Vec<_> = retries
        .kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let cost = retries.cost_usd.map_or_else(
        || "an unknown cost".to_owned(),
        |cost| format!("up to {}", at_most(cost)),
    );
    Some(format!(
        "{}: {} with --retry-failed ({}), for {cost}, because the paid answers cannot be used",
        layer.name,
        counted(retries.requests, "more request"),
        kinds.join(", ")
    ))
}

/// Formats a number with its noun.
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Shortens a list to [`MAX_LINES`].
fn shorten(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MAX_LINES);
    if more > 0 {
        lines.truncate(MAX_LINES);
        lines.push(format!(
            "  and {}; pass --json to see all",
            counted(more as u64, "more line")
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_shortened() {
        let lines = shorten((0..MAX_LINES + 5).map(|line| line.to_string()).collect());
        assert_eq!(lines.len(), MAX_LINES + 1);
        assert_eq!(
            lines[MAX_LINES],
            "  and 5 more lines; pass --json to see all"
        );
        assert_eq!(shorten(vec!["a".to_owned()]).len(), 1);
    }
}
