//! `batch-build` and its commands, which `build --batch`, `resume` and `builds` share.

use synix_core::exit_code::ExitCode;
use synix_engine::batch::LostCreatePolicy;
use synix_engine::view::Status;
use synix_project::{BuildOrder, Options, Project, Report};
use synix_store::BuildKind;

use super::{builds, outcome, plan, watch};
use crate::args::{self, BatchBuild, Global, Money, Poll, Risks, SyncAfter};
use crate::progress::Progress;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &BatchBuild, screen: &Screen) -> anyhow::Result<ExitCode> {
    match args {
        BatchBuild::Plan(args) => plan::run(global, args, BuildKind::Batch, screen),
        BatchBuild::List => builds::run(global, Some(BuildKind::Batch), screen),
        BatchBuild::Status {
            which,
            exit_code,
            watch: stay,
            poll_interval,
        } => {
            let options = global.options(None);
            let mut status = synix_project::status(&options, which.build.as_deref())?;
            if *stay {
                status = watch::to_the_end(&options, status, *poll_interval, screen)?;
            }
            show(&status, screen)?;
            Ok(if *exit_code {
                state(&status)
            } else {
                ExitCode::Success
            })
        }
        BatchBuild::Run { pipeline, drive } => {
            let order = order(&drive.poll, &drive.risks, &drive.fallback, &drive.money);
            start(global, pipeline, &drive.risks, &order, screen)
        }
        BatchBuild::Resume(args) => resume(global, args, screen),
        BatchBuild::Cancel { which, yes } => {
            let options = Options {
                trust: yes.trust,
                ..global.options(None)
            };
            let report = {
                let progress = Progress::new(screen);
                let build = which.build.as_deref();
                synix_project::cancel(&options, build, &|event| progress.tell(event))?
            };
            show(&report.status, screen)?;
            Ok(ExitCode::Success)
        }
    }
}

/// Opens a batch build and drives it.
pub(super) fn start(
    global: &Global,
    pipeline: &args::PipelineArg,
    risks: &Risks,
    order: &BuildOrder,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let project = Project::open(&Options {
        trust: risks.yes.trust,
        ..global.options(pipeline.pipeline.as_ref())
    })?;
    let report = {
        let progress = Progress::new(screen);
        project.run_batch(order, &|event| progress.tell(event))?
    };
    answer(&report, screen)
}

/// Takes a build up again.
pub(super) fn resume(
    global: &Global,
    args: &args::Resume,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let lost_create = match &args.adopt {
        Some(batch) => LostCreatePolicy::Adopt(batch.clone()),
        None if args.create_again => LostCreatePolicy::CreateAgain,
        None => LostCreatePolicy::Ask,
    };
    let drive = &args.drive;
    let order = BuildOrder {
        allow_mismatch: args.allow_pipeline_mismatch,
        lost_create,
        ..order(&drive.poll, &drive.risks, &drive.fallback, &drive.money)
    };
    let options = Options {
        trust: drive.risks.yes.trust,
        ..global.options(None)
    };
    let report = {
        let progress = Progress::new(screen);
        let build = args.which.build.as_deref();
        synix_project::resume(&options, build, &order, &|event| progress.tell(event))?
    };
    answer(&report, screen)
}

/// Shows where a build stands.
pub(super) fn show(status: &Status, screen: &Screen) -> anyhow::Result<()> {
    screen.answer(status, || outcome::text(status))
}

fn answer(report: &Report, screen: &Screen) -> anyhow::Result<ExitCode> {
    show(&report.status, screen)?;
    Ok(outcome::exit(report))
}

/// Says how a batch build is to be driven.
pub(super) fn order(poll: &Poll, risks: &Risks, fallback: &SyncAfter, money: &Money) -> BuildOrder {
    BuildOrder {
        wait_policy: poll.wait_policy(),
        allow_partial: risks.allow_partial,
        reset_state: risks.reset_state,
        allow_mismatch: false,
        sync_after: fallback.sync_after,
        lost_create: LostCreatePolicy::Ask,
        budget: money.budget,
        retry_failed: money.retry_failed(),
    }
}

fn state(status: &Status) -> ExitCode {
    match status.status {
        "completed" => ExitCode::Success,
        "completed_with_errors" => ExitCode::PartialSuccess,
        "failed" | "cancelled" | "interrupted" => ExitCode::Failure,
        _ => ExitCode::Waiting,
    }
}
