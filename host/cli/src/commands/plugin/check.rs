//! `plugin check`: a conformance run, point by point; exit code 1 where a point fails.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use synix_authoring::check::{self, CheckOptions, CheckProgress, CheckReport, PointOutcome};
use synix_authoring::unit_run::{self, Replies, UnitRunError};
use synix_core::exit_code::ExitCode;
use synix_sandbox::Sandbox;

use crate::args::Global;
use crate::failure::{self, Usage};
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The component
    file: PathBuf,
    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "PATH")]
    junit: Option<PathBuf>,
    /// Try it with this config, not one made from its schema
    #[arg(long, value_name = "JSON|@FILE")]
    config: Option<String>,
    /// Try it with these files, not with made-up inputs
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// Answer every ordinary question with this, not with made-up text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reply: Option<String>,
    /// Answer ordinary questions with the texts of a JSON list, one after the other; the last answers all that follow
    #[arg(long, value_name = "FILE", conflicts_with = "reply")]
    replies: Option<PathBuf>,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

/// Ten minutes.
const TIMEOUT: u64 = 600;
/// How often is said how far it has come.
const SAY: Duration = Duration::from_secs(5);

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    failure::leave_when_interrupted(screen)?;
    let (name, bytes) = super::component(global, &args.file)?;
    // A component that is checked once fills no cache.
    let sandbox = Sandbox::with_compiler(1, None, global.options(None).compiler)?;
    let given = args.config.as_deref();
    let given = given
        .map(|given| super::config(global, given))
        .transpose()?;
    let config = match (given, sandbox.load(&name, &bytes)) {
        (Some(given), Ok(plugin)) => {
            let config = unit_run::prepare_config(&plugin, &given.members, &given.folder);
            Some(config.map_err(|error| wrong(error, "--config"))?)
        }
        // The check itself says what keeps it from being loaded.
        (Some(_), Err(_)) | (None, _) => None,
    };
    let inputs = unit_run::read_inputs(&super::seen(global, &args.input))
        .map_err(|error| wrong(error, "--input"))?;
    let replies = match super::run::replies(global, args.reply.as_deref(), args.replies.as_deref())?
    {
        Replies::None => Vec::new(),
        Replies::Always(text) => vec![text],
        Replies::InOrder(texts) => texts,
    };
    let setup = CheckOptions {
        config,
        inputs,
        replies,
        timeout: Some(Duration::from_secs(args.timeout)),
        ..CheckOptions::default()
    };
    let told = Cell::new((Instant::now(), ""));
    let seen = |progress: CheckProgress| {
        let (last, stage) = told.get();
        if stage == progress.stage && last.elapsed() < SAY {
            return;
        }
        told.set((Instant::now(), progress.stage));
        screen.talk(&format!(
            "checking {name}: {} ({} runs so far)",
            progress.stage, progress.runs
        ));
    };
    let report = check::check(&sandbox, &name, &bytes, &setup, &seen);
    if let Some(path) = &args.junit {
        synix_disk::replace(&global.at(path), check::junit_report(&report).as_bytes())
            .context("cannot write the JUnit report")?;
    }
    screen.answer(&report, || text(&report))?;
    Ok(if report.failed == 0 {
        ExitCode::Success
    } else {
        ExitCode::Failure
    })
}

/// What the user can put right by typing something else, with its causes.
fn wrong(error: UnitRunError, flag: &str) -> anyhow::Error {
    let said = Usage(format!("{flag}: {error}"));
    if error.source().is_none() {
        return said.into();
    }
    anyhow::Error::new(Causes(error)).context(said)
}

/// The causes of an error that is told already.
#[derive(Debug)]
struct Causes(UnitRunError);

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .source()
            .map_or(Ok(()), |cause| fmt::Display::fmt(cause, f))
    }
}

impl Error for Causes {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()?.source()
    }
}

fn text(report: &CheckReport) -> Vec<String> {
    let mut lines: Vec<String> = report
        .points
        .iter()
        .map(|one| {
            let word = match one.outcome {
                PointOutcome::Pass => "pass",
                PointOutcome::Fail => "FAIL",
                PointOutcome::Skip => "skip",
            };
            format!("{word}  {:<16}  {}", one.point.name(), one.detail)
        })
        .collect();
    lines.push(format!(
        "{}: {} passed, {} failed, {} skipped",
        report.plugin, report.passed, report.failed, report.skipped
    ));
    lines
}
