//! The arguments of all commands. Their doc comments are the texts of the help.

mod builds;
mod commands;
#[cfg(feature = "restate")]
mod service;
mod trial;
#[cfg(feature = "view")]
mod view;
mod watch;
#[cfg(feature = "restate")]
mod worker;

use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::Parser;
use synix_project::{CassetteMode, EngineChoice, Environment, Options};
use synix_sandbox::Compiler;

use crate::color::Color;
use crate::compiler::Program;
use crate::failure::Usage;
use crate::io::ProcessEnvironment;
use crate::log::{self, Filter};
use crate::render::Verbosity;

pub(crate) use builds::{
    BatchBuild, Build, BuildsCommand, CostArgs, FallbackArgs, FileArgs, Plan, PollArgs, Resume,
    RiskArgs, ShowBuild, TrustFlag,
};
pub(crate) use commands::{
    Builds, Command, Completions, Costs, Demo, Diff, Export, Gc, Init, Lineage, List, Man, Mcp,
    PipelineArg, Release, Search, SharedCommand, Show, SnapshotArg, Status, Test,
};
#[cfg(feature = "restate")]
pub(crate) use service::{Logs, RemoteArgs, Service, Submit};
pub(crate) use trial::{Promote, TrialArgs, Try};
#[cfg(feature = "view")]
pub(crate) use view::View;
pub(crate) use watch::Watch;
#[cfg(feature = "restate")]
pub(crate) use worker::Worker;

const EXIT_CODES: &str = "Exit codes: 0 did what was asked, 1 failed, 2 usage or pipeline file, \
    3 completed with errors, 4 still waiting, 5 refused";

/// The heading of options that every command has.
const GLOBAL: &str = "Global options";
/// The heading of global options that affect commands that build, plan or fetch.
const BUILDING: &str = "Global options of commands that read the pipeline";

/// Build data with language models, and only what changed
#[derive(Debug, Parser)]
#[command(name = "synix", bin_name = "synix", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// Print one JSON document instead of text, also for an error
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Run as if synix had been started in this folder
    #[arg(short = 'C', global = true, value_name = "DIR", help_heading = GLOBAL)]
    pub(crate) directory: Option<PathBuf>,
    /// The pipeline file or its folder [default: synix.toml in this folder or its nearest parent that has one]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(crate) pipeline: Option<PathBuf>,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    quiet: bool,
    /// Print each failed unit and all log lines of plugins; -vv also prints each request, -vvv more details
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    verbose: u8,
    /// Print colours if the terminal supports them, always, or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = GLOBAL)]
    pub(crate) color: Color,
    /// Get answers from providers (off), also record them (record), or read recorded answers (replay)
    #[arg(long, global = true, value_name = "MODE", help_heading = BUILDING)]
    cassette_mode: Option<CassetteMode>,
    /// Store the cassette in this folder [default: cassettes next to the pipeline file]
    #[arg(long, global = true, value_name = "DIR", help_heading = BUILDING)]
    cassette_dir: Option<PathBuf>,
    /// Send at most this many requests at a time [default: 16]
    #[arg(long, global = true, value_name = "N", help_heading = BUILDING)]
    concurrency: Option<NonZero<usize>>,
    /// Run units on the workers of a server of Restate (restate=URL), or on this machine (local) [default: as the pipeline file says]
    #[arg(long, global = true, value_name = "ENGINE", help_heading = BUILDING)]
    engine: Option<EngineChoice>,
    /// Fail if a plugin does not match synix.lock [default: true if the environment has CI]
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = BUILDING)]
    locked: Option<bool>,
    /// Update synix.lock, even if the environment has CI
    #[arg(long, global = true, conflicts_with = "locked", help_heading = BUILDING)]
    no_locked: bool,
    /// Not an argument: the environment of the command.
    #[arg(skip)]
    process: ProcessEnvironment,
}

impl Global {
    /// Changes to the folder in which the command runs.
    pub(crate) fn enter(&mut self, process: ProcessEnvironment) -> Result<(), Usage> {
        self.process = process;
        let Some(folder) = &self.directory else {
            return Ok(());
        };
        let entered = self.process.environment.change_folder(folder);
        entered.map_err(|error| {
            Usage(format!(
                "cannot change to the folder {}: {error}",
                folder.display()
            ))
        })
    }

    pub(crate) const fn environment(&self) -> &Environment {
        &self.process.environment
    }

    /// Resolves a path that the user typed, relative to the current folder of the command.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.environment().resolve(path)
    }

    /// Returns the program `synix`.
    pub(crate) const fn program(&self) -> &Program {
        &self.process.program
    }

    /// Returns the compiler of plugins.
    pub(crate) fn compiler(&self) -> Compiler {
        self.program().compiler()
    }

    /// Returns the options of the project. A pipeline after the command takes precedence over `--pipeline`.
    pub(crate) fn options(&self, pipeline: Option<&PathBuf>) -> Options {
        Options {
            environment: self.environment().clone(),
            pipeline: pipeline.or(self.pipeline.as_ref()).cloned(),
            cassette_mode: self.cassette_mode,
            cassette_dir: self.cassette_dir.clone(),
            concurrency: self.concurrency.map(NonZero::get),
            engine: self.engine.clone(),
            locked: if self.no_locked {
                Some(false)
            } else {
                self.locked
            },
            offline: false,
            rehash: false,
            trust: false,
            trial: None,
            compiler: self.compiler(),
            stop: None,
        }
    }

    pub(crate) const fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 1..) => Verbosity::Verbose,
            (false, 0) => Verbosity::Normal,
        }
    }

    /// Returns the log filter: from `SYNIX_LOG`, or else from `-v`.
    pub(crate) fn log(&self) -> Result<Filter, Usage> {
        match self.environment().get(log::VARIABLE) {
            Some(text) => text.parse(),
            None => Ok(Filter::of_verbosity(if self.quiet {
                0
            } else {
                self.verbose
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use synix_core::exit_code::ExitCode;

    use super::*;

    #[test]
    fn the_help_shows_the_default_number_of_requests_at_a_time() {
        let help = Args::command().render_long_help().to_string();
        let default = format!(
            "at a time [default: {}]",
            synix_engine::build::DEFAULT_CONCURRENCY
        );
        assert!(help.contains(&default), "{help}");
    }

    #[test]
    fn the_help_lists_every_exit_code() {
        let codes = ExitCode::ALL.map(|(exit, meaning)| format!("{} {meaning}", exit.code()));
        assert_eq!(EXIT_CODES, format!("Exit codes: {}", codes.join(", ")));
    }

    /// A stranger must not be able to run units here.
    #[cfg(feature = "restate")]
    #[test]
    fn a_worker_listens_on_this_machine_only_by_default() {
        let args = Args::parse_from(["synix", "worker"]);
        let Command::Worker(worker) = args.command else {
            panic!("another command");
        };
        assert!(worker.listen.ip().is_loopback(), "{}", worker.listen);
    }

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
