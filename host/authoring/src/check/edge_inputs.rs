//! Unusual inputs: their contents, labels and metadata.

use super::failure::{FailureCause, UnitFailure};
use super::input_variants::{self, Variant};
use super::point::Point;
use super::report::ReportBuilder;
use super::runner::{CheckRunner, Job, Trial, TrialEnd};
use super::scripted_model::AnswerStyle;
use super::{Baseline, baseline, edge_case_fault};

/// The most units per variant of the inputs.
const MAX_UNITS: usize = 16;

/// Checks the points about inputs, and that labels are unique.
pub(super) fn check(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let outputs: Vec<_> = baseline
        .jobs
        .iter()
        .filter_map(|(_, trial)| trial.outputs())
        .collect();
    let outputs: Vec<_> = outputs.into_iter().flatten().cloned().collect();
    let many = input_variants::many(&baseline.inputs);
    let accepts_many = runner.is_per_input()
        || (!report.has_failed(Point::Split)
            && find_fault(runner, baseline, Point::LongInput, &many).is_none());
    let mut long = input_variants::long(&baseline.inputs);
    if !runner.is_per_input() && !report.has_failed(Point::Split) {
        long.push(many);
    }
    let mut unicode = input_variants::unicode(&baseline.inputs);
    // If many inputs fail, many labels would fail for the same reason.
    if accepts_many {
        unicode.push(input_variants::with_labels(
            &baseline.inputs,
            input_variants::SIMILAR_LABELS,
        ));
    }
    for (point, variants) in [
        (Point::EmptyInput, input_variants::empty(&baseline.inputs)),
        (Point::UnicodeInput, unicode),
        (Point::LongInput, long),
        (Point::BytesInput, input_variants::bytes(&baseline.inputs)),
        (
            Point::MetadataInput,
            input_variants::metadata(&baseline.inputs, &outputs),
        ),
    ] {
        let failed = variants.iter().find_map(|variant| {
            let found = find_fault(runner, baseline, point, variant)?;
            Some((variant, found))
        });
        let names: Vec<&str> = variants.iter().map(|one| one.name.as_str()).collect();
        match failed {
            None => report.pass(point, names.join("; ")),
            Some((variant, (at, problem))) => {
                let name = &variant.name;
                report.fail(at, format!("with {name}: {problem}"));
                report.skip(point, format!("with {name}, `{}` failed", at.name()));
            }
        }
    }
    check_labels(runner, baseline, report);
}

/// Runs the units of a variant until one has a fault.
fn find_fault(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    point: Point,
    variant: &Variant,
) -> Option<(Point, String)> {
    let input_bytes = variant
        .inputs
        .iter()
        .map(|one| one.content.as_bytes().len());
    let input_bytes = input_bytes.max().unwrap_or(0);
    let is_expected = |failure: &UnitFailure| {
        let breaks_name_rule = matches!(
            failure.cause,
            FailureCause::Split | FailureCause::Output | FailureCause::Label
        );
        variant.may_break_names && breaks_name_rule
    };
    match run_variant(runner, baseline, variant, baseline.style) {
        Err(failure) if is_expected(&failure) => None,
        Err(failure) => {
            let (at, problem) = edge_case_fault(&failure, point, input_bytes)?;
            Some((at, format!("`split`: {problem}")))
        }
        Ok(trials) => trials.iter().find_map(|(job, trial)| {
            let TrialEnd::Failed(failure) = &trial.end else {
                return None;
            };
            if is_expected(failure) {
                return None;
            }
            let (at, problem) = edge_case_fault(failure, point, input_bytes)?;
            Some((at, format!("unit {:?}: {problem}", job.unit.key.as_str())))
        }),
    }
}

fn run_variant(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    variant: &Variant,
    style: AnswerStyle,
) -> Result<Vec<(Job, Trial)>, UnitFailure> {
    let mut jobs = runner.split(&variant.inputs, &baseline.config)?;
    jobs.truncate(MAX_UNITS);
    Ok(baseline::run_units(runner, &jobs, &baseline.config, style))
}

/// Checks that no two units make the same label, also if their texts, labels or answers are similar.
fn check_labels(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let point = Point::Labels;
    if let Some((label, one, other)) = find_duplicate_label(&baseline.jobs) {
        let from_config = baseline
            .config
            .values()
            .any(|value| value.as_str() == Some(label));
        if baseline.is_generated && from_config {
            let reason = format!(
                "all units make the label {label:?} from a generated config; pass one with --config"
            );
            return report.skip(point, reason);
        }
        let detail = format!("units {one:?} and {other:?} both make the label {label:?}");
        return report.fail(point, detail);
    }
    let ordinary =
        input_variants::variant("the same answer to every question", baseline.inputs.clone());
    for (variant, style) in [
        (
            input_variants::equal_texts(&baseline.inputs),
            baseline.style,
        ),
        (
            input_variants::with_labels(&baseline.inputs, input_variants::SIMILAR_LABELS),
            baseline.style,
        ),
        (
            input_variants::with_labels(&baseline.inputs, input_variants::LONG_LABELS),
            baseline.style,
        ),
        (ordinary, AnswerStyle::Fixed("none")),
    ] {
        // Other points report other faults of these inputs.
        let Ok(trials) = run_variant(runner, baseline, &variant, style) else {
            continue;
        };
        if let Some((label, one, other)) = find_duplicate_label(&trials) {
            let detail = format!(
                "with {}, units {one:?} and {other:?} both make the label {label:?}; derive labels from the complete labels of the inputs",
                variant.name
            );
            return report.fail(point, detail);
        }
    }
    let made = baseline
        .jobs
        .iter()
        .filter_map(|(_, trial)| trial.outputs());
    let made: usize = made.map(<[_]>::len).sum();
    report.pass(
        point,
        format!("{made} labels, unique with all variants of the inputs"),
    );
}

/// Returns a label that two units made, with the keys of both.
fn find_duplicate_label(trials: &[(Job, Trial)]) -> Option<(&str, &str, &str)> {
    let mut makers = std::collections::BTreeMap::new();
    for (job, trial) in trials {
        let key = job.unit.key.as_str();
        for output in trial.outputs().unwrap_or_default() {
            let label = output.label.as_str();
            if let Some(other) = makers.insert(label, key) {
                return Some((label, other, key));
            }
        }
    }
    None
}
