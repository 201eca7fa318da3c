//! `logs`: shows what happened in a build of a service, and what happens in it.

use std::collections::HashSet;
use std::time::Duration;

use synix_core::clock::Timestamp;
use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_service::{JobState, RemoteBuilds, ServiceError, is_job};
use synix_store::LogPage;

use super::log::{event_line, log_lines};
use super::remote::open;
use crate::args::{Global, Logs};
use crate::render::Screen;

/// How often a build that is followed is asked for.
const PAUSE: Duration = Duration::from_secs(1);
/// The events that are asked for at a time.
const PAGE: u64 = 1000;
/// An event may be recorded this long after its time.
const DELAY: Duration = Duration::from_secs(10);

pub(super) fn run(global: &Global, args: &Logs, screen: &Screen) -> anyhow::Result<ExitCode> {
    let builds = open(global, args.project.project.as_deref())?;
    if args.follow {
        return follow(&builds, args.build.as_deref(), screen);
    }
    let page = LogPage {
        after: args.after,
        limit: args.limit.into(),
        since: None,
    };
    let log = builds.log(args.build.as_deref(), page)?;
    screen.print_result(&log, || log_lines(&log))?;
    if log.more {
        let next = args.after.saturating_add(log.events.len() as u64);
        screen.note(&format!(
            "there are later events; pass `--after {next}` to see them, or a greater `--limit`"
        ));
    }
    Ok(ExitCode::Success)
}

/// Prints the log of a build, and further events until it has ended.
fn follow(builds: &RemoteBuilds, build: Option<&str>, screen: &Screen) -> anyhow::Result<ExitCode> {
    let build = match build {
        Some(build) => build.to_owned(),
        None => builds.status(None)?.build,
    };
    let mut printed = HashSet::new();
    let mut since = Timestamp(0);
    let mut warned = false;
    loop {
        match print_since(builds, &build, since, &mut printed, screen) {
            Ok((last, is_open)) => {
                if !is_open {
                    let status = builds.status(Some(&build))?;
                    return Ok(status.exit_code());
                }
                let delay = u64::try_from(DELAY.as_millis()).unwrap_or(u64::MAX);
                since = Timestamp(last.0.saturating_sub(delay));
                warned = false;
            }
            Err(error) => match error.downcast_ref() {
                Some(known) if may_pass(known) => {
                    if !warned {
                        screen.note(&error.to_string());
                        warned = true;
                    }
                }
                Some(known) if is_not_open(builds, &build, known) => {}
                Some(_) | None => return Err(error),
            },
        }
        std::thread::sleep(PAUSE);
    }
}

/// Prints the events since a time that were not printed yet. Returns the time of the last, and whether there may be more.
fn print_since(
    builds: &RemoteBuilds,
    build: &str,
    since: Timestamp,
    printed: &mut HashSet<String>,
    screen: &Screen,
) -> anyhow::Result<(Timestamp, bool)> {
    let mut seen = HashSet::new();
    let mut last = since;
    let mut after = 0;
    loop {
        let page = LogPage {
            after,
            limit: PAGE,
            since: Some(since),
        };
        let log = builds.log(Some(build), page)?;
        after += log.events.len() as u64;
        for event in &log.events {
            let line = event_line(event);
            last = last.max(event.at);
            if !printed.contains(&line) {
                screen.print_result(event, || vec![line.clone()])?;
            }
            seen.insert(line);
        }
        if !log.more || log.events.is_empty() {
            // Earlier events are not asked for again.
            *printed = seen;
            return Ok((
                last,
                matches!(&*log.status, "collecting" | "submitted" | "interrupted"),
            ));
        }
    }
}

/// Returns whether the service has not opened the build of a job yet.
fn is_not_open(builds: &RemoteBuilds, build: &str, error: &ServiceError) -> bool {
    let has_none = [ErrorKind::UNKNOWN_BUILD, ErrorKind::NO_STATE].contains(&error.kind());
    has_none
        && is_job(build)
        && builds
            .job(build)
            .is_ok_and(|job| job.state != JobState::Ended)
}

/// Returns whether an error may pass while a command waits: a server or a service starts again.
pub(super) const fn may_pass(error: &ServiceError) -> bool {
    matches!(
        error,
        ServiceError::Unavailable { .. } | ServiceError::Waiting { .. }
    )
}
