//! `plugin check`: runs the conformance checks; the exit code is 1 if one fails.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use synix_authoring::check::{
    self, CheckOptions, CheckProgress, CheckReport, PointOutcome, SampleFile,
};
use synix_authoring::file_run::project_name;
use synix_authoring::unit_run::{self, Replies, UnitRunError};
use synix_authoring::{LoadedPlugin, PluginKind};
use synix_core::causes::with_causes;
use synix_core::exit_code::ExitCode;
use synix_sandbox::Sandbox;

use crate::args::Global;
use crate::failure::{self, Usage};
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The component, or the name of a first-party plugin
    file: PathBuf,
    /// Also write the report as JUnit XML
    #[arg(long, value_name = "PATH")]
    junit: Option<PathBuf>,
    /// Use this config instead of one generated from the schema
    #[arg(long, value_name = "JSON|@FILE")]
    config: Option<String>,
    /// Use these files instead of generated inputs or, for a reader, generated files
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// Answer every ordinary request with this text instead of a generated one
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reply: Option<String>,
    /// Answer ordinary requests with the texts of a JSON list, in order; the last text answers all further ones
    #[arg(long, value_name = "FILE", conflicts_with = "reply")]
    replies: Option<PathBuf>,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

/// The default timeout in seconds.
const DEFAULT_TIMEOUT: u64 = 600;
/// The time between two progress messages.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    failure::leave_when_interrupted(screen)?;
    let (name, bytes) = super::component(global, &args.file)?;
    // Without a cache, because the component is checked only once.
    let sandbox = Sandbox::with_compiler(1, None, global.options(None).compiler)?;
    let given = args.config.as_deref();
    let given = given
        .map(|given| super::config(global, given))
        .transpose()?;
    let config = match given.map(|given| (given, LoadedPlugin::load(&sandbox, &name, &bytes))) {
        Some((given, Ok(plugin))) => {
            let schema = &plugin.descriptor().config_schema;
            let config = unit_run::prepare_config(schema, &given.members, &given.folder);
            Some(config.map_err(|error| usage_error(error, "--config"))?)
        }
        // The check itself reports why the component cannot be loaded.
        Some((_, Err(_))) | None => None,
    };
    let (inputs, files) = match PluginKind::of_component(&bytes) {
        PluginKind::Transform => {
            let inputs = unit_run::read_inputs(&super::resolve_all(global, &args.input))
                .map_err(|error| usage_error(error, "--input"))?;
            (inputs, Vec::new())
        }
        PluginKind::Reader => {
            refuse_replies(args)?;
            (Vec::new(), sample_files(global, args)?)
        }
    };
    let replies = match super::run::replies(global, args.reply.as_deref(), args.replies.as_deref())?
    {
        Replies::None => Vec::new(),
        Replies::Always(text) => vec![text],
        Replies::InOrder(texts) => texts,
    };
    let setup = CheckOptions {
        config,
        inputs,
        files,
        replies,
        timeout: Some(Duration::from_secs(args.timeout)),
        ..CheckOptions::default()
    };
    let last_message = Cell::new((Instant::now(), ""));
    let on_progress = |progress: CheckProgress| {
        let (last, stage) = last_message.get();
        if stage == progress.stage && last.elapsed() < PROGRESS_INTERVAL {
            return;
        }
        last_message.set((Instant::now(), progress.stage));
        screen.note(&format!(
            "checking {name}: {} ({} runs so far)",
            progress.stage, progress.runs
        ));
    };
    let report = check::check(&sandbox, &name, &bytes, &setup, &on_progress);
    if let Some(path) = &args.junit {
        synix_disk::replace(
            &global.resolve(path),
            check::junit_report(&report).as_bytes(),
        )
        .context("cannot write the JUnit report")?;
    }
    screen.print_result(&report, || result_lines(&report))?;
    Ok(if report.failed == 0 {
        ExitCode::Success
    } else {
        ExitCode::Failure
    })
}

/// Refuses the flags that only a transform has.
fn refuse_replies(args: &Args) -> Result<(), Usage> {
    let flag = match (&args.reply, &args.replies) {
        (Some(_), _) => "--reply",
        (None, Some(_)) => "--replies",
        (None, None) => return Ok(()),
    };
    Err(Usage(format!(
        "{} is a reader, which asks no model; remove {flag}",
        args.file.display()
    )))
}

/// Reads the files for a reader. The check reads each of them many times, so it keeps them in memory.
fn sample_files(global: &Global, args: &Args) -> anyhow::Result<Vec<SampleFile>> {
    let mut files = Vec::new();
    for path in &args.input {
        let bytes = synix_disk::read_limited(&global.resolve(path), super::MAX_ARGUMENT_FILE_BYTES)
            .map_err(|error| Usage(format!("--input: {}", with_causes(&error))))?;
        files.push(SampleFile {
            name: project_name(path),
            bytes: bytes.into(),
        });
    }
    Ok(files)
}

/// Converts an error that the user can fix with another argument. Keeps its causes.
fn usage_error(error: UnitRunError, flag: &str) -> anyhow::Error {
    let usage = Usage(format!("{flag}: {error}"));
    if error.source().is_none() {
        return usage.into();
    }
    anyhow::Error::new(Causes(error)).context(usage)
}

/// The causes of an error whose own text is already in a message.
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

fn result_lines(report: &CheckReport) -> Vec<String> {
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
