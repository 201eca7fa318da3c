//! `build`.

use std::time::Duration;

use synix_core::exit_code::ExitCode;
use synix_engine::batch::LostCreatePolicy;
use synix_engine::build::WaitPolicy;
use synix_project::{BuildOrder, Options, Project};

use super::{batch_build, outcome};
use crate::args::{Build, Global};
use crate::failure::Usage;
use crate::progress::Progress;
use crate::render::Screen;

/// Between two looks at a batch that an earlier build left in flight.
const LOOK: Duration = Duration::from_secs(30);

pub(super) fn run(global: &Global, args: &Build, screen: &Screen) -> anyhow::Result<ExitCode> {
    if args.batch {
        let order = batch_build::order(&args.poll, &args.risks, &args.fallback, &args.money);
        return batch_build::start(global, &args.pipeline, &args.risks, &order, screen);
    }
    let of_batches = [
        (args.poll.stays(), "--poll"),
        (args.fallback.sync_after.is_some(), "--sync-after"),
    ];
    if let Some((_, flag)) = of_batches.iter().find(|(is_given, _)| *is_given) {
        return Err(Usage(format!(
            "{flag} says how to wait for batches; add --batch, or leave it out"
        ))
        .into());
    }
    let wait_policy = if args.no_wait {
        WaitPolicy::Leave
    } else {
        WaitPolicy::Poll {
            interval: LOOK,
            timeout: None,
        }
    };
    let order = BuildOrder {
        wait_policy,
        allow_partial: args.risks.allow_partial,
        allow_mismatch: false,
        sync_after: None,
        lost_create: LostCreatePolicy::Ask,
        budget: args.money.budget,
        reset_state: args.risks.reset_state,
        retry_failed: args.money.retry_failed(),
    };
    let project = Project::open(&Options {
        trust: args.risks.yes.trust,
        ..global.options(args.pipeline.pipeline.as_ref())
    })?;
    let report = {
        let progress = Progress::new(screen);
        project.build(&order, &|event| progress.tell(event))?
    };
    screen.answer(&report.status, || outcome::text(&report.status))?;
    let exit = outcome::exit(&report);
    let left = exit == ExitCode::Success && args.no_wait && report.waiting;
    Ok(if left { ExitCode::Waiting } else { exit })
}
