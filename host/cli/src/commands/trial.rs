//! `try`: builds a trial, shows its outputs beside those of the newest snapshot, and what the whole would cost.

use std::time::Duration;

use serde_json::json;
use synix_core::exit_code::ExitCode;
use synix_engine::build::WaitPolicy;
use synix_engine::plan::Plan;
use synix_engine::view::{Status, TrialOutput};
use synix_project::{Options, Project, RunOptions};
use synix_store::BuildKind;

use super::build::WAIT_FOR_OTHERS;
use super::reading::SnapshotReader;
use super::{outcome, plan, trial_outputs};
use crate::args::{Global, Try};
use crate::lines::Lines;
use crate::progress::Progress;
use crate::render::Screen;

/// What a trial shows.
struct Report {
    status: Status,
    outputs: Vec<TrialOutput>,
    whole: Plan,
    /// Whether something was changed for the trial.
    has_settings: bool,
}

pub(super) fn run(global: &Global, args: &Try, screen: &Screen) -> anyhow::Result<ExitCode> {
    let trial = args.trial(global)?;
    let has_settings = !trial.overrides.is_empty();
    let options = Options {
        trust: args.trust.trust,
        rehash: args.files.rehash,
        trial: Some(trial),
        ..global.options(args.pipeline.pipeline.as_ref())
    };
    let (kind, wait_policy) = if args.batch {
        let policy = WaitPolicy::Poll {
            interval: Duration::from_secs(60),
            timeout: None,
        };
        (BuildKind::Batch, policy)
    } else {
        (BuildKind::Build, WAIT_FOR_OTHERS)
    };
    let run = RunOptions {
        allow_partial: args.allow_partial,
        budget: args.costs.budget,
        retry_failed: args.costs.retry_failed(),
        ..RunOptions::new(wait_policy)
    };
    let project = Project::open(&options)?;
    let planned = project.plan(kind)?;
    let report = {
        let progress = Progress::new(screen);
        let observe = |event: &_| progress.on_event(event);
        match kind {
            BuildKind::Build => project.build(&run, &observe)?,
            BuildKind::Batch => project.run_batch(&run, &observe)?,
        }
    };
    let exit = report.status.exit_code();
    let snapshots = SnapshotReader::of(
        Options {
            trial: None,
            ..options
        },
        None,
    )?;
    let name = report.status.trial.as_deref().unwrap_or_default();
    let (reader, pipeline) = (&snapshots.reader, report.status.pipeline.as_str());
    let trial = reader.trial_snapshot(pipeline, name)?;
    // Another trial of the same name may have begun and ended since.
    let trial = trial.filter(|trial| trial.build == report.build);
    let main = reader.newest_snapshot_of(pipeline)?;
    let outputs = match &trial {
        Some(trial) => TrialOutput::of(reader, trial, main.as_ref())?,
        None => Vec::new(),
    };
    let shown = Report {
        outputs,
        has_settings,
        whole: project.plan_whole(kind)?,
        status: report.status,
    };
    let document = json!({
        "trial": shown.status.trial,
        "snapshot": trial.map(|trial| trial.id.to_string()),
        "build": shown.status,
        "plan": planned,
        "outputs": shown.outputs,
        "whole": shown.whole,
    });
    screen.print_result(&document, || lines(&shown, &planned))?;
    Ok(exit)
}

fn lines(report: &Report, planned: &Plan) -> Lines {
    let mut lines = Lines::default();
    lines.push("the trial:");
    plan::add_table(planned, &mut lines);
    plan::add_units(planned, &mut lines);
    lines.push("");
    lines.append(outcome::status_lines(&report.status));
    let name = report.status.trial.as_deref().unwrap_or_default();
    trial_outputs::add(&report.outputs, name, &mut lines);
    lines.heading("the whole pipeline with these settings would now ask:");
    plan::add_table(&report.whole, &mut lines);
    if let (Some(name), true) = (&report.status.trial, report.has_settings) {
        lines.heading(format!(
            "`synix promote {name}` writes the settings of the trial into the pipeline file"
        ));
    }
    lines
}
