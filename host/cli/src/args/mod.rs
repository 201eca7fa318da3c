//! The arguments; their doc comments are the help.

mod builds;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand};
use synix_project::{CassetteMode, Environment, Options};
use synix_sandbox::Compiler;

use crate::color::Color;
use crate::commands::plugin::PluginCommand;
use crate::commands::trust;
use crate::compiler::Program;
use crate::failure::Usage;
use crate::io::ProcessEnvironment;
use crate::log::{self, Filter};
use crate::quantity::{self, duration};
use crate::render::Verbosity;

pub(crate) use builds::{BatchBuild, Build, Money, Poll, Resume, Risks, SyncAfter, TrustFlag};

const EXIT_CODES: &str = "Exit codes: 0 did what was asked, 1 failed, 2 usage or pipeline file, \
    3 completed with errors, 4 still waiting, 5 refused";

/// The options that every command has, below its own.
const GLOBAL: &str = "Global options";
/// Global options that matter to commands that build, plan or fetch.
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
    /// The pipeline file or its folder [default: synix.toml here or in the nearest folder above]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(crate) pipeline: Option<PathBuf>,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    quiet: bool,
    /// Print each failed unit and everything that plugins log; twice: also each request, thrice: more of synix itself
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    verbose: u8,
    /// Print colours where a terminal shows them, always, or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = GLOBAL)]
    pub(crate) color: Color,
    /// Get answers from providers (off), get and record them (record), or read recorded ones (replay)
    #[arg(long, global = true, value_name = "MODE", help_heading = BUILDING)]
    cassette_mode: Option<CassetteMode>,
    /// Keep the cassette in this folder [default: cassettes beside the pipeline file]
    #[arg(long, global = true, value_name = "DIR", help_heading = BUILDING)]
    cassette_dir: Option<PathBuf>,
    /// Send at most this many requests at a time [default: 16]
    #[arg(long, global = true, value_name = "N", help_heading = BUILDING)]
    concurrency: Option<NonZero<usize>>,
    /// Fail if a plugin does not match synix.lock [default: true where the environment has CI]
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = BUILDING)]
    locked: Option<bool>,
    /// Update synix.lock, even where the environment has CI
    #[arg(long, global = true, conflicts_with = "locked", help_heading = BUILDING)]
    no_locked: bool,
    /// Not an argument: what the command runs in.
    #[arg(skip)]
    surroundings: ProcessEnvironment,
}

impl Global {
    /// Goes where the command is to run.
    pub(crate) fn enter(&mut self, surroundings: ProcessEnvironment) -> Result<(), Usage> {
        self.surroundings = surroundings;
        let Some(folder) = &self.directory else {
            return Ok(());
        };
        let entered = self.surroundings.environment.go_to(folder);
        entered.map_err(|error| Usage(format!("cannot go to {}: {error}", folder.display())))
    }

    pub(crate) const fn environment(&self) -> &Environment {
        &self.surroundings.environment
    }

    /// Returns a path that the user typed, as it is seen from where the command runs.
    pub(crate) fn at(&self, path: &Path) -> PathBuf {
        self.environment().at(path)
    }

    /// Returns the file of the program `synix`.
    pub(crate) const fn program(&self) -> &Program {
        &self.surroundings.program
    }

    /// Returns who compiles plugins.
    pub(crate) fn compiler(&self) -> Compiler {
        self.program().compiler()
    }

    /// Returns what the command says of its project; a pipeline behind the command comes first.
    pub(crate) fn options(&self, pipeline: Option<&PathBuf>) -> Options {
        Options {
            environment: self.environment().clone(),
            pipeline: pipeline.or(self.pipeline.as_ref()).cloned(),
            cassette_mode: self.cassette_mode,
            cassette_dir: self.cassette_dir.clone(),
            concurrency: self.concurrency.map(NonZero::get),
            locked: if self.no_locked {
                Some(false)
            } else {
                self.locked
            },
            offline: false,
            trust: false,
            compiler: self.compiler(),
        }
    }

    pub(crate) const fn talk(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 1..) => Verbosity::Verbose,
            (false, 0) => Verbosity::Normal,
        }
    }

    /// Returns how much of its own work synix tells, as `SYNIX_LOG` says, or `-v`.
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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a project from a template
    Init(Init),
    /// Show what a build would do, without sending anything
    Plan(PipelineArg),
    /// Build what changed with single requests, several at a time
    Build(Build),
    /// Build what changed through the providers' batch APIs
    #[command(subcommand)]
    BatchBuild(BatchBuild),
    /// Continue a build, as `batch-build resume` does
    Resume(Resume),
    /// Show what is stale, what runs, what failed and what it cost
    Status(Status),
    /// List all builds, the newest first
    #[command(visible_alias = "runs")]
    Builds,
    /// List the artifacts
    List(List),
    /// Show an artifact
    Show(Show),
    /// Show everything an artifact was made from
    Lineage(Lineage),
    /// Delete the artifacts, but keep the answers they were made from
    Clean,
    /// Delete old units, contents and request texts that no retained snapshot refers to
    Gc(Gc),
    /// Show what a project needs your yes for, and ask you
    Trust(trust::Args),
    /// Create, check, run and pin plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Replay a project in a copy and compare the output of each command with a golden file
    Test(Test),
    /// Print a script that completes commands and options in a shell
    Completions(Completions),
    /// Print the manual page, or write one for each command to a folder
    Man(Man),
    /// The former name of `test`
    #[command(subcommand, hide = true)]
    Demo(Demo),
}

#[derive(Debug, clap::Args)]
pub(crate) struct PipelineArg {
    /// The pipeline file or its folder, as with --pipeline
    #[arg(id = "FILE", value_name = "PIPELINE", conflicts_with = "pipeline")]
    pub(crate) pipeline: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// The folder to fill
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Start from this template
    #[arg(long, value_name = "NAME", default_value = "team-report")]
    pub(crate) template: String,
    /// List the templates and make nothing
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// Show this build instead: build-7, 7, or the beginning of an id that no other build shares
    pub(crate) build: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotArg {
    /// Read this snapshot: a build such as build-7, or @-1 for the one before the newest [default: the newest]
    #[arg(long, value_name = "ID")]
    pub(crate) snapshot: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// List this layer only
    pub(crate) layer: Option<String>,
    #[command(flatten)]
    pub(crate) snapshot: SnapshotArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Name {
    /// The artifact's label (with its layer if several layers have it), its id, or the beginning of either
    #[arg(value_name = "[LAYER/]LABEL|ID")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) snapshot: SnapshotArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) name: Name,
    /// Print the content to a terminal byte by byte, control characters included
    #[arg(long, conflicts_with = "json")]
    pub(crate) raw: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Lineage {
    #[command(flatten)]
    pub(crate) name: Name,
    /// Go back this many steps from artifact to artifact
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    /// Delete what is older than this, such as 90d or 12h [default: 30d, or no age if --max-size is given]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) older_than: Option<Duration>,
    /// Keep deleting, oldest first, until the state is at most this size, such as 2GB or 500MB
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(crate) max_size: Option<u64>,
    /// Keep this many snapshots of each pipeline
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep_snapshots: u32,
    /// Also delete answers that no retained unit uses; asking again costs money again
    #[arg(long)]
    pub(crate) answers: bool,
    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// The project's folder, with its cassette
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Write the golden files instead of comparing with them
    #[arg(long, visible_alias = "update-goldens")]
    pub(crate) update: bool,
    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Write a page for each command to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Demo {
    /// Replay the project in a copy and compare the output of each command with a golden file
    Run(Test),
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

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
