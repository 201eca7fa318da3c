//! `submit` and `resume --remote`: hand a build to a service.

use std::time::Duration;

use synix_core::exit_code::ExitCode;
use synix_service::{JobOptions, JobReport, JobState, RemoteBuilds, ServiceError};

use super::remote::{job_line, open, show_job};
use super::{batch_build, logs};
use crate::args::{CostArgs, FallbackArgs, Global, Resume, Submit};
use crate::failure::Usage;
use crate::render::Screen;

/// How often a command that waits for a job asks for it.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn run(global: &Global, args: &Submit, screen: &Screen) -> anyhow::Result<ExitCode> {
    let options = JobOptions {
        batch: args.batch,
        allow_partial: args.allow_partial,
        rehash: args.files.rehash,
        poll_s: args.poll_interval.as_secs().max(1),
        ..job_options(&args.costs, &args.fallback)
    };
    let builds = open(global, args.project.project.as_deref())?;
    submit(&builds, None, &options, args.wait, screen)
}

/// Lets the service continue a build.
pub(super) fn resume(global: &Global, args: &Resume, screen: &Screen) -> anyhow::Result<ExitCode> {
    let flags = &args.run;
    let local = [
        (flags.risks.reset_state, "--reset-state"),
        (flags.risks.trust.trust, "--trust"),
    ];
    if let Some((_, flag)) = local.iter().find(|(is_given, _)| *is_given) {
        return Err(Usage(format!(
            "{flag} is for the machine of the service; run the command there"
        ))
        .into());
    }
    let options = JobOptions {
        allow_partial: flags.risks.allow_partial,
        allow_mismatch: args.allow_pipeline_mismatch,
        rehash: flags.files.rehash,
        poll_s: flags.poll.poll_interval.as_secs().max(1),
        adopt: args.adopt.clone(),
        create_again: args.create_again,
        ..job_options(&flags.costs, &flags.fallback)
    };
    let builds = open(global, args.remote.project.as_deref())?;
    let build = match &args.selection.build {
        Some(build) => build.clone(),
        None => builds.status(None)?.build,
    };
    submit(
        &builds,
        Some(&build),
        &options,
        flags.poll.is_polling(),
        screen,
    )
}

fn job_options(costs: &CostArgs, fallback: &FallbackArgs) -> JobOptions {
    let retried = costs.retry_failed();
    JobOptions {
        budget_usd: costs.budget,
        retry_failed: retried.iter().map(|kind| kind.name().to_owned()).collect(),
        sync_after_s: fallback.sync_after.map(|after| after.as_secs()),
        ..JobOptions::default()
    }
}

fn submit(
    builds: &RemoteBuilds,
    resume: Option<&str>,
    options: &JobOptions,
    waits: bool,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let submitted = builds.submit(resume, options)?;
    let job = &submitted.job;
    if !submitted.is_accepted {
        screen.note(
            "no service has answered yet; the server keeps the job, and hands it over when there is one",
        );
    }
    if waits {
        let report = wait(builds, job, screen)?;
        return ended(builds, &report, screen);
    }
    let report = submitted.report(builds.project());
    screen.print_result(&report, || {
        vec![
            job_line(&report),
            format!("run `synix status --remote {job}` to see how far it is"),
        ]
    })?;
    Ok(ExitCode::Success)
}

/// Waits until a job has ended, and prints what changes.
fn wait(builds: &RemoteBuilds, job: &str, screen: &Screen) -> anyhow::Result<JobReport> {
    let mut printed = String::new();
    loop {
        let line = match builds.job(job) {
            Ok(report) if report.state == JobState::Ended => return Ok(report),
            Ok(report) => job_line(&report),
            Err(error) if logs::may_pass(&error) => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        if line != printed {
            screen.note(&line);
            printed = line;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Shows a job that has ended, and exits as the command would that runs such a build.
fn ended(builds: &RemoteBuilds, report: &JobReport, screen: &Screen) -> anyhow::Result<ExitCode> {
    let status = report
        .build
        .as_deref()
        .map(|build| builds.status(Some(build)));
    match (&report.error, status) {
        (None, Some(Ok(status))) => batch_build::show(&status, screen)?,
        (Some(error), _) => {
            return Err(ServiceError::of_report(error, report.exit()).into());
        }
        (None, Some(Err(_)) | None) => show_job(builds, report, screen)?,
    }
    Ok(report.exit().unwrap_or(ExitCode::Failure))
}
