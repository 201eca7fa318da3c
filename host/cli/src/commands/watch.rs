//! `watch`: builds again when something changes that the project is built from.

use std::path::Path;
use std::time::Duration;

use synix_core::clock::Timestamp;
use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_prices::Amount;
use synix_project::{
    Options, Project, ProjectError, ProjectWake, ProjectWatch, RunOptions, WatchOptions,
    spent_today,
};

use super::build::WAIT_FOR_OTHERS;
use super::reading::SnapshotReader;
use super::{outcome, release};
use crate::args::{Global, Watch};
use crate::failure;
use crate::progress::Progress;
use crate::render::Screen;

/// How often files are compared if the operating system cannot report changes.
const FALLBACK_INTERVAL: Duration = Duration::from_secs(5);

pub(super) fn run(global: &Global, args: &Watch, screen: &Screen) -> anyhow::Result<ExitCode> {
    let options = Options {
        trust: args.trust.trust,
        ..global.options(args.pipeline.pipeline.as_ref())
    };
    let releases = match args.release {
        true => {
            let to = args.to.as_deref().map(|folder| global.resolve(folder));
            Some(release::release_folder(&options, to)?)
        }
        false => None,
    };
    let mut watch = start(&options, args, releases.as_deref(), screen)?;
    let mut is_first = true;
    loop {
        if watch.is_interrupted() {
            return Ok(stopped(screen));
        }
        let mut until = None;
        let built = build_once(&options, args, &mut watch, screen).and_then(|built| {
            if let (Built::Completed, Some(folder)) = (built, &releases) {
                let snapshots = SnapshotReader::of(options.clone(), None)?;
                release::write(&snapshots, Some(folder.clone()), args.keep, screen)?;
            }
            Ok(built)
        });
        match built {
            Ok(Built::BudgetUsed { day_end }) => until = Some(day_end),
            Ok(Built::Completed | Built::WithErrors) => {}
            Err(error) if ends_watch(&error, is_first) => return Err(error),
            Err(error) => {
                failure::report(&error, screen);
            }
        }
        is_first = false;
        screen.note("waiting for changes; Ctrl-C stops");
        match watch.wait(until) {
            ProjectWake::Changed(changes) => screen.note(&changes),
            ProjectWake::Elapsed => screen.note("another day has begun, with its own budget"),
            ProjectWake::Interrupted => return Ok(stopped(screen)),
        }
    }
}

/// Begins to watch. If the operating system cannot report changes, the files are compared.
fn start(
    options: &Options,
    args: &Watch,
    releases: Option<&Path>,
    screen: &Screen,
) -> Result<ProjectWatch, ProjectError> {
    let mut watch = WatchOptions {
        quiet: args.pause,
        poll: args.poll,
        written: releases.map(Path::to_owned).into_iter().collect(),
    };
    match ProjectWatch::start(options, &watch) {
        Err(ProjectError::Watch(error)) if args.poll.is_none() => {
            let interval = FALLBACK_INTERVAL.as_secs();
            screen.note(&format!(
                "{}; the files are compared every {interval} s instead",
                synix_core::causes::with_causes(&error)
            ));
            watch.poll = Some(FALLBACK_INTERVAL);
            ProjectWatch::start(options, &watch)
        }
        started => started,
    }
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Built {
    Completed,
    WithErrors,
    /// Nothing more may be spent until the end of the day.
    BudgetUsed {
        day_end: Timestamp,
    },
}

/// Builds once.
fn build_once(
    options: &Options,
    args: &Watch,
    watch: &mut ProjectWatch,
    screen: &Screen,
) -> anyhow::Result<Built> {
    // If the project cannot be opened, nobody knows which file will correct it.
    watch.follow_everything();
    let project = Project::open(options)?;
    watch.follow(&project);
    let own_budget = args.costs.budget.or_else(|| project.budget());
    let (budget, day_end) = match args.daily_budget {
        None => (own_budget, None),
        Some(daily) => {
            let day = DayBudget::of(options, daily)?;
            let left = day.left;
            match own_budget.filter(|own| *own < left) {
                Some(own) => (Some(own), None),
                None => (Some(left), Some(day.end)),
            }
        }
    };
    let run = RunOptions {
        allow_partial: args.allow_partial,
        budget,
        retry_failed: args.costs.retry_failed(),
        ..RunOptions::new(WAIT_FOR_OTHERS)
    };
    let report = {
        let progress = Progress::new(screen);
        project.build(&run, &|event| progress.on_event(event))
    };
    let report = match (report, day_end) {
        (Err(error), Some(day_end)) if error.kind() == ErrorKind::BUDGET => {
            failure::report(&error.into(), screen);
            screen.note("the budget of the day (--daily-budget) is used up until midnight UTC");
            return Ok(Built::BudgetUsed { day_end });
        }
        (report, _) => report?,
    };
    screen.print_result(&report.status, || outcome::status_lines(&report.status))?;
    Ok(if report.status.exit_code() == ExitCode::Success {
        Built::Completed
    } else {
        Built::WithErrors
    })
}

/// What is left of the budget of this day.
struct DayBudget {
    left: Amount,
    end: Timestamp,
}

impl DayBudget {
    fn of(options: &Options, daily: Amount) -> anyhow::Result<Self> {
        let day = spent_today(options)?;
        if let Some(build) = day.unknown {
            anyhow::bail!(
                "the cost of {build} is unknown, so synix cannot tell what is left of the daily budget; add the missing prices to the pipeline file"
            );
        }
        Ok(Self {
            left: daily - day.spent,
            end: day.end,
        })
    }
}

/// Returns whether an error ends the command, because no change of a file can correct it.
fn ends_watch(error: &anyhow::Error, is_first: bool) -> bool {
    let Some(error) = error.downcast_ref::<ProjectError>() else {
        return false;
    };
    match error.kind() {
        ErrorKind::INTERRUPTED => true,
        ErrorKind::USAGE | ErrorKind::UNTRUSTED | ErrorKind::UNENCRYPTED_KEY => is_first,
        _ => false,
    }
}

fn stopped(screen: &Screen) -> ExitCode {
    screen.note("stopped");
    ExitCode::Success
}
