//! What commands show of the builds of a service: `status --remote`, and `batch-build cancel --remote`.

use synix_core::exit_code::ExitCode;
use synix_core::printable::escape_line;
use synix_service::{JobReport, JobState, RemoteBuilds, is_job};

use super::{batch_build, outcome, status};
use crate::args::{Global, RemoteArgs};
use crate::lines::Lines;
use crate::render::Screen;

/// Opens the builds of the project that the arguments name.
pub(super) fn open(global: &Global, project: Option<&str>) -> anyhow::Result<RemoteBuilds> {
    Ok(RemoteBuilds::open(&global.options(None), project)?)
}

/// Shows a build, a job, or the overview of the project at the service.
pub(super) fn show_status(
    global: &Global,
    args: &RemoteArgs,
    build: Option<&str>,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let builds = open(global, args.project.as_deref())?;
    match build {
        None => {
            let overview = builds.overview()?;
            screen.print_result(&overview, || status::overview_lines(&overview))?;
        }
        Some(job) if is_job(job) => show_job(&builds, &builds.job(job)?, screen)?,
        Some(build) => batch_build::show(&builds.status(Some(build))?, screen)?,
    }
    Ok(ExitCode::Success)
}

/// Shows a job, with the status of its build unless the service is away.
pub(super) fn show_job(
    builds: &RemoteBuilds,
    report: &JobReport,
    screen: &Screen,
) -> anyhow::Result<()> {
    screen.print_result(report, || {
        let mut lines = Lines::default();
        lines.push(job_line(report));
        if let Some(error) = &report.error {
            lines.extend(error.causes.iter().map(|cause| format!("  {cause}")));
            lines.extend(error.hint.iter().map(|hint| format!("  {hint}")));
        }
        let status = report
            .build
            .as_deref()
            .map(|build| builds.status(Some(build)));
        match status {
            Some(Ok(status)) => {
                lines.push("");
                lines.append(outcome::status_lines(&status));
            }
            Some(Err(error)) => lines.push(format!("the service cannot say more now: {error}")),
            None => {}
        }
        lines
    })
}

/// Cancels a build, and shows it.
pub(super) fn cancel(
    global: &Global,
    args: &RemoteArgs,
    build: Option<&str>,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let builds = open(global, args.project.as_deref())?;
    let build = match build {
        Some(build) => build.to_owned(),
        None => builds.status(None)?.build,
    };
    batch_build::show(&builds.cancel(&build)?, screen)?;
    Ok(ExitCode::Success)
}

/// Returns a line about a job.
pub(super) fn job_line(report: &JobReport) -> String {
    let mut line = format!("{} {}", report.project, report.job);
    if let Some(build) = &report.build {
        line.push_str(&format!(", {build}"));
    }
    line.push_str(": ");
    line.push_str(&match (report.state, &report.status) {
        (JobState::Begun, _) => "the service has not ended its first turn".to_owned(),
        (JobState::Waiting | JobState::Ended, Some(status)) => status.replace('_', " "),
        (JobState::Waiting, None) => "waiting".to_owned(),
        (JobState::Ended, None) => "not begun".to_owned(),
    });
    if let Some(next) = report.next {
        line.push_str(&format!("; continues at {next}"));
    }
    if let Some(error) = &report.error {
        line.push_str(&format!("; {}", error.message));
    }
    escape_line(&line)
}
