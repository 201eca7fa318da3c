//! `batch-build` and its commands.

use synix_engine::batch::LostCreatePolicy;
use synix_engine::view::Status;
use synix_project::{BuildOrder, Options, Project, Report};
use synix_store::BuildKind;

use super::{outcome, plan, runs, watch};
use crate::args::{BatchBuild, Global, Money, Poll, Risks, SyncAfter};
use crate::failure::Exit;
use crate::progress::Progress;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &BatchBuild, screen: &Screen) -> anyhow::Result<Exit> {
    let options = global.options(None);
    let progress = || Progress::new(screen);
    let report = match args {
        BatchBuild::Plan(args) => return plan::run(global, args, BuildKind::Batch, screen),
        BatchBuild::List => return runs::run(global, Some(BuildKind::Batch), screen),
        BatchBuild::Status {
            which,
            exit_code,
            watch: stay,
            poll_interval,
        } => {
            let mut status = synix_project::status(&options, which.build)?;
            if *stay {
                status = watch::to_the_end(&options, status, *poll_interval, screen)?;
            }
            screen.answer(&status, || outcome::text(&status))?;
            return Ok(if *exit_code {
                state(&status)
            } else {
                Exit::Done
            });
        }
        BatchBuild::Run {
            pipeline,
            poll,
            risks,
            patience,
            money,
        } => {
            let project = Project::open(&Options {
                trust: risks.yes.trust,
                ..global.options(pipeline.pipeline.as_ref())
            })?;
            let progress = progress();
            let order = order(poll, risks, patience, money);
            project.run_batch(&order, &|event| progress.tell(event))?
        }
        BatchBuild::Resume {
            which,
            poll,
            risks,
            patience,
            money,
            allow_pipeline_mismatch,
            adopt,
            create_again,
        } => {
            let lost_create = match adopt {
                Some(batch) => LostCreatePolicy::Adopt(batch.clone()),
                None if *create_again => LostCreatePolicy::CreateAgain,
                None => LostCreatePolicy::Ask,
            };
            let order = BuildOrder {
                allow_mismatch: *allow_pipeline_mismatch,
                lost_create,
                ..order(poll, risks, patience, money)
            };
            let options = Options {
                trust: risks.yes.trust,
                ..options
            };
            let progress = progress();
            synix_project::resume(&options, which.build, &order, &|event| progress.tell(event))?
        }
        BatchBuild::Cancel { which, yes } => {
            let options = Options {
                trust: yes.trust,
                ..options
            };
            let progress = progress();
            let report =
                synix_project::cancel(&options, which.build, &|event| progress.tell(event))?;
            answer(&report, screen)?;
            return Ok(Exit::Done);
        }
    };
    answer(&report, screen)?;
    Ok(outcome::exit(&report))
}

fn answer(report: &Report, screen: &Screen) -> anyhow::Result<()> {
    screen.answer(&report.status, || outcome::text(&report.status))
}

fn order(poll: &Poll, risks: &Risks, patience: &SyncAfter, money: &Money) -> BuildOrder {
    BuildOrder {
        patience: poll.patience(),
        allow_partial: risks.allow_partial,
        reset_state: risks.reset_state,
        allow_mismatch: false,
        sync_after: patience.sync_after,
        lost_create: LostCreatePolicy::Ask,
        budget: money.budget,
        retry_failed: money.retry_failed(),
    }
}

fn state(status: &Status) -> Exit {
    match status.status {
        "completed" => Exit::Done,
        "completed_with_errors" => Exit::WithErrors,
        "failed" | "cancelled" | "interrupted" => Exit::FAILED,
        _ => Exit::Waiting,
    }
}
