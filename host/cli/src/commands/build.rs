//! `build`: builds what is stale with single requests, or with batches.

use std::time::Duration;

use synix_core::exit_code::ExitCode;
use synix_engine::build::WaitPolicy;
use synix_project::{Options, Project, RunOptions};

use super::{batch_build, outcome};
use crate::args::{Build, Global};
use crate::failure::Usage;
use crate::progress::Progress;
use crate::render::Screen;

/// Wait for requests of other builds, such as a batch that an earlier build submitted.
pub(super) const WAIT_FOR_OTHERS: WaitPolicy = WaitPolicy::Poll {
    interval: Duration::from_secs(30),
    timeout: None,
};

pub(super) fn run(global: &Global, args: &Build, screen: &Screen) -> anyhow::Result<ExitCode> {
    let options = Options {
        trust: args.risks.trust.trust,
        rehash: args.files.rehash,
        trial: args.trial.options(global)?,
        ..global.options(args.pipeline.pipeline.as_ref())
    };
    if args.batch {
        let run = batch_build::run_options(&args.poll, &args.risks, &args.fallback, &args.costs);
        return batch_build::start(&options, &run, screen);
    }
    let batch_flags = [
        (args.poll.is_polling(), "--poll"),
        (args.fallback.sync_after.is_some(), "--sync-after"),
    ];
    if let Some((_, flag)) = batch_flags.iter().find(|(is_given, _)| *is_given) {
        return Err(Usage(format!(
            "{flag} applies to batches only; add --batch, or remove {flag}"
        ))
        .into());
    }
    let wait_policy = if args.no_wait {
        WaitPolicy::PollOnce
    } else {
        WAIT_FOR_OTHERS
    };
    let run = RunOptions {
        allow_partial: args.risks.allow_partial,
        budget: args.costs.budget,
        reset_state: args.risks.reset_state,
        retry_failed: args.costs.retry_failed(),
        ..RunOptions::new(wait_policy)
    };
    let project = Project::open(&options)?;
    let report = {
        let progress = Progress::new(screen);
        project.build(&run, &|event| progress.on_event(event))?
    };
    screen.print_result(&report.status, || outcome::status_lines(&report.status))?;
    let exit = report.status.exit_code();
    let is_waiting = exit == ExitCode::Success && args.no_wait && report.waiting;
    Ok(if is_waiting { ExitCode::Waiting } else { exit })
}
