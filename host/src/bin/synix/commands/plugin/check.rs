//! `plugin check`: a conformance run, point by point; exit code 1 where a point fails.

use std::path::PathBuf;

use anyhow::Context as _;
use synix::author::check::{self, Outcome, Report, Setup};
use synix::author::desk;
use synix::disk;
use synix::plugin::Sandbox;

use crate::args::Global;
use crate::failure::{Exit, Usage};
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
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<Exit> {
    let (name, bytes) = super::component(&args.file)?;
    // A component that is checked once fills no cache.
    let sandbox = Sandbox::with_compiler(1, None, global.options(None).compiler)?;
    let given = args.config.as_deref().map(super::config).transpose()?;
    let config = match (given, sandbox.load(&name, &bytes)) {
        (Some(given), Ok(plugin)) => {
            let config = desk::config(&plugin, &given.members, &given.folder);
            Some(config.map_err(|error| usage("--config", &error))?)
        }
        // The check itself says what keeps it from being loaded.
        (Some(_), Err(_)) | (None, _) => None,
    };
    let inputs = desk::inputs(&args.input).map_err(|error| usage("--input", &error))?;
    let setup = Setup {
        config,
        inputs,
        ..Setup::default()
    };
    let report = check::check(&sandbox, &name, &bytes, &setup);
    if let Some(path) = &args.junit {
        disk::replace(path, check::junit(&report).as_bytes())
            .context("cannot write the JUnit report")?;
    }
    screen.answer(&report, || text(&report))?;
    Ok(if report.failed == 0 {
        Exit::Done
    } else {
        Exit::FAILED
    })
}

/// What the user can put right by typing something else, with its causes.
fn usage(option: &str, error: &desk::DeskError) -> Usage {
    let mut text = format!("{option}: {error}");
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    Usage(text)
}

fn text(report: &Report) -> Vec<String> {
    let mut lines: Vec<String> = report
        .points
        .iter()
        .map(|one| {
            let word = match one.outcome {
                Outcome::Pass => "pass",
                Outcome::Fail => "FAIL",
                Outcome::Skip => "skip",
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
