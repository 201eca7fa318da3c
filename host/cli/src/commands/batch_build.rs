//! `batch-build` and its subcommands, which `build --batch`, `resume` and `builds` share.

use synix_core::exit_code::ExitCode;
use synix_engine::batch::LostCreatePolicy;
use synix_engine::view::Status;
use synix_project::{BuildReport, Options, Project, RunOptions};
use synix_store::BuildKind;

use super::{builds, follow, outcome, plan};
use crate::args::{self, BatchBuild, CostArgs, FallbackArgs, Global, PollArgs, RiskArgs};
use crate::progress::Progress;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &BatchBuild, screen: &Screen) -> anyhow::Result<ExitCode> {
    match args {
        BatchBuild::Plan(args) => plan::run(global, args, BuildKind::Batch, screen),
        BatchBuild::List => builds::list_batch_builds(global, screen),
        BatchBuild::Status {
            selection,
            exit_code,
            watch: is_watching,
            poll_interval,
        } => {
            let options = global.options(None);
            let mut status = synix_project::status(&options, selection.build.as_deref())?;
            if *is_watching {
                status = follow::follow_build(&options, status, *poll_interval, screen)?;
            }
            show(&status, screen)?;
            Ok(if *exit_code {
                status_exit_code(&status)
            } else {
                ExitCode::Success
            })
        }
        BatchBuild::Run {
            pipeline,
            run,
            trial,
        } => {
            let options = Options {
                trial: trial.options(global)?,
                trust: run.risks.trust.trust,
                rehash: run.files.rehash,
                ..global.options(pipeline.pipeline.as_ref())
            };
            let run = run_options(&run.poll, &run.risks, &run.fallback, &run.costs);
            start(&options, &run, screen)
        }
        BatchBuild::Resume(args) => resume(global, args, screen),
        #[cfg(feature = "restate")]
        BatchBuild::Cancel {
            selection, remote, ..
        } if remote.remote => {
            super::remote::cancel(global, remote, selection.build.as_deref(), screen)
        }
        BatchBuild::Cancel {
            selection, trust, ..
        } => {
            let options = Options {
                trust: trust.trust,
                ..global.options(None)
            };
            let report = {
                let progress = Progress::new(screen);
                let build = selection.build.as_deref();
                synix_project::cancel(&options, build, &|event| progress.on_event(event))?
            };
            show(&report.status, screen)?;
            Ok(ExitCode::Success)
        }
    }
}

/// Starts a batch build.
pub(super) fn start(
    options: &Options,
    run: &RunOptions,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let project = Project::open(options)?;
    let report = {
        let progress = Progress::new(screen);
        project.run_batch(run, &|event| progress.on_event(event))?
    };
    print_report(&report, screen)
}

/// Resumes a build.
pub(super) fn resume(
    global: &Global,
    args: &args::Resume,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    #[cfg(feature = "restate")]
    if args.remote.remote {
        return super::submit::resume(global, args, screen);
    }
    let lost_create = match &args.adopt {
        Some(batch) => LostCreatePolicy::Adopt(batch.clone()),
        None if args.create_again => LostCreatePolicy::CreateAgain,
        None => LostCreatePolicy::Ask,
    };
    let flags = &args.run;
    let run = RunOptions {
        allow_mismatch: args.allow_pipeline_mismatch,
        lost_create,
        ..run_options(&flags.poll, &flags.risks, &flags.fallback, &flags.costs)
    };
    let options = Options {
        trust: flags.risks.trust.trust,
        rehash: flags.files.rehash,
        ..global.options(None)
    };
    let report = {
        let progress = Progress::new(screen);
        let build = args.selection.build.as_deref();
        synix_project::resume(&options, build, &run, &|event| progress.on_event(event))?
    };
    print_report(&report, screen)
}

/// Shows the status of a build.
pub(super) fn show(status: &Status, screen: &Screen) -> anyhow::Result<()> {
    screen.print_result(status, || outcome::status_lines(status))
}

fn print_report(report: &BuildReport, screen: &Screen) -> anyhow::Result<ExitCode> {
    show(&report.status, screen)?;
    Ok(report.status.exit_code())
}

/// Converts the arguments into the options of a run.
pub(super) fn run_options(
    poll: &PollArgs,
    risks: &RiskArgs,
    fallback: &FallbackArgs,
    costs: &CostArgs,
) -> RunOptions {
    RunOptions {
        allow_partial: risks.allow_partial,
        reset_state: risks.reset_state,
        sync_after: fallback.sync_after,
        budget: costs.budget,
        retry_failed: costs.retry_failed(),
        ..RunOptions::new(poll.wait_policy())
    }
}

fn status_exit_code(status: &Status) -> ExitCode {
    match &*status.status {
        "completed" => ExitCode::Success,
        "completed_with_errors" => ExitCode::PartialSuccess,
        "failed" | "cancelled" | "interrupted" => ExitCode::Failure,
        _ => ExitCode::Waiting,
    }
}
