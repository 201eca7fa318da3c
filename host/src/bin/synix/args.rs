//! The arguments; their doc comments are the help.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use synix::build::Patience;
use synix::price::Amount;
use synix::project::{CassetteMode, Options};
use synix::request::FailureKind;
use synix::store::BuildId;

use crate::commands::plugin::PluginCommand;
use crate::commands::trust;
use crate::quantity;

const EXIT_CODES: &str = "Exit codes: 0 did what was asked, 1 failed, 2 usage or pipeline file, \
    3 completed with errors, 4 still waiting, 5 refused";

/// Build data with language models, and only what changed
#[derive(Debug, Parser)]
#[command(name = "synix", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Take answers from providers (off), write them down too (record), or read them back (replay)
    #[arg(long, global = true, value_name = "MODE")]
    cassette_mode: Option<CassetteMode>,
    /// Keep the cassette in this folder [default: cassettes beside the pipeline file]
    #[arg(long, global = true, value_name = "DIR")]
    cassette_dir: Option<PathBuf>,
    /// Send at most this many requests at a time [default: 16]
    #[arg(long, global = true, value_name = "N")]
    concurrency: Option<NonZero<usize>>,
    /// Refuse plugins that are not those of the lock file [default: true where the environment has CI]
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    locked: Option<bool>,
    /// Bring the lock file up to date, also where the environment has CI
    #[arg(long, global = true, conflicts_with = "locked")]
    no_locked: bool,
}

impl Global {
    pub(crate) fn options(&self, pipeline: Option<&PathBuf>) -> Options {
        Options {
            pipeline: pipeline.cloned(),
            cassette_mode: self.cassette_mode,
            cassette_dir: self.cassette_dir.clone(),
            concurrency: self.concurrency.map(NonZero::get),
            locked: if self.no_locked {
                Some(false)
            } else {
                self.locked
            },
            trust: false,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project from a template
    Init(Init),
    /// Show what a build would do, and send nothing
    Plan(PipelineArg),
    /// Build what changed, one request at a time
    Build(Build),
    /// Build what changed through the providers' batch APIs
    #[command(subcommand)]
    BatchBuild(BatchBuild),
    /// List the artifacts
    List(List),
    /// Show an artifact
    Show(Name),
    /// Show everything an artifact was made from
    Lineage(Name),
    /// List all builds, the newest first
    Runs,
    /// Forget the artifacts, and keep the answers they were made from
    Clean,
    /// Let old units, contents and request texts go that no kept snapshot stands on
    Gc(Gc),
    /// Show what a project needs your yes for, and ask you
    Trust(trust::Args),
    /// Make, check, run and pin plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Replay a project and compare what it prints with its golden files
    #[command(subcommand)]
    Demo(Demo),
}

#[derive(Debug, clap::Args)]
pub(crate) struct PipelineArg {
    /// The pipeline file [default: synix.toml here or in the nearest folder above]
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
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArg,
    /// Leave with exit code 4 where a batch still has the answers
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) risks: Risks,
    #[command(flatten)]
    pub(crate) money: Money,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Money {
    /// Send nothing that could make the build cost more than so many US dollars
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) budget: Option<Amount>,
    /// Ask again what was paid for without a usable answer, and pay again: all of it, or these kinds
    #[arg(long, value_name = "KIND,…", value_parser = paid, num_args = 0..=1, require_equals = true, value_delimiter = ',', default_missing_value = "all")]
    retry_failed: Vec<Paid>,
}

/// What is asked again although it was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paid {
    All,
    Kind(FailureKind),
}

impl Money {
    /// Returns the kinds of failure that are asked again although they were paid for.
    pub(crate) fn retry_failed(&self) -> BTreeSet<FailureKind> {
        let named = self.retry_failed.iter().flat_map(|paid| match paid {
            Paid::All => FailureKind::PAID.to_vec(),
            Paid::Kind(kind) => vec![*kind],
        });
        named.collect()
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Risks {
    /// Build from what there is where an input failed
    #[arg(long)]
    pub(crate) allow_partial: bool,
    /// Start a new state where this one is damaged; what it held is paid for again
    #[arg(long)]
    pub(crate) reset_state: bool,
    /// Say yes, for this command, to all that `synix trust` shows
    #[arg(long)]
    pub(crate) trust: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchBuild {
    /// Open a build, submit its batches and leave
    Run {
        #[command(flatten)]
        pipeline: PipelineArg,
        #[command(flatten)]
        poll: Poll,
        #[command(flatten)]
        risks: Risks,
        #[command(flatten)]
        patience: SyncAfter,
        #[command(flatten)]
        money: Money,
    },
    /// Take a build up where it stands
    Resume {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        poll: Poll,
        #[command(flatten)]
        risks: Risks,
        #[command(flatten)]
        patience: SyncAfter,
        #[command(flatten)]
        money: Money,
        /// Go on although the pipeline is not what it was when the build was opened
        #[arg(long)]
        allow_pipeline_mismatch: bool,
        /// Take this batch as the one whose create reply was lost
        #[arg(long, value_name = "ID", conflicts_with = "create_again")]
        adopt: Option<String>,
        /// Create a batch again whose create reply was lost, though the provider may have it
        #[arg(long)]
        create_again: bool,
    },
    /// Show what a batch build would do, and send nothing
    Plan(PipelineArg),
    /// List the batch builds, the newest first
    List,
    /// Show where a build stands
    Status {
        #[command(flatten)]
        which: Which,
        /// Exit with 4 while the build waits, 3 if units failed, 1 if it failed or was cancelled
        #[arg(long)]
        exit_code: bool,
        /// Stay until the build has ended, and tell what changes; asks no provider
        #[arg(long)]
        watch: bool,
        /// Look at the state every so many seconds
        #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5", requires = "watch")]
        poll_interval: Duration,
    },
    /// Cancel a build and its batches at the providers
    Cancel(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SyncAfter {
    /// Cancel batches that take longer, such as 6h, and ask for the rest by single calls
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) sync_after: Option<Duration>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The build, such as build-7 [default: the newest batch build]
    #[arg(value_parser = build_id)]
    pub(crate) build: Option<BuildId>,
    /// Take the newest batch build
    #[arg(long, conflicts_with = "build")]
    latest: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Poll {
    /// Stay until the batches have ended
    #[arg(long)]
    poll: bool,
    /// Look at the batches every so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60", requires = "poll")]
    poll_interval: Duration,
    /// Leave after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "poll")]
    poll_timeout: Option<Duration>,
}

impl Poll {
    pub(crate) const fn patience(&self) -> Patience {
        if self.poll {
            Patience::Poll {
                interval: self.poll_interval,
                timeout: self.poll_timeout,
            }
        } else {
            Patience::Leave
        }
    }
}

fn build_id(text: &str) -> Result<BuildId, &'static str> {
    text.parse().map_err(|_| "a build is named like build-7")
}

fn paid(text: &str) -> Result<Paid, String> {
    if text == "all" {
        return Ok(Paid::All);
    }
    FailureKind::paid_named(text)
        .map(Paid::Kind)
        .ok_or_else(|| {
            let names = FailureKind::PAID.map(FailureKind::name).join(", ");
            format!("the kinds are {names}; what cost nothing is asked again anyway")
        })
}

fn dollars(text: &str) -> Result<Amount, &'static str> {
    let usd = text.strip_prefix('$').unwrap_or(text).parse().ok();
    usd.and_then(Amount::from_usd)
        .ok_or("an amount is a number of US dollars such as 2.50")
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Reads `90`, `90s`, `15m`, `6h` or `2d`.
fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0)];
    let found = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (number, factor) = found.unwrap_or((text, 1.0));
    let number: f64 = number
        .parse()
        .map_err(|_| "not a duration such as 45s, 15m, 6h or 2d".to_owned())?;
    Duration::try_from_secs_f64(number * factor).map_err(|error| error.to_string())
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only this layer
    pub(crate) layer: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Name {
    /// The artifact's label, with its layer where several layers have it
    #[arg(value_name = "[LAYER/]LABEL")]
    pub(crate) name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    /// Let go what is older, such as 90d or 12h [default: 30d, or no age where --max-size is given]
    #[arg(long, value_name = "DURATION", value_parser = quantity::time)]
    pub(crate) older_than: Option<Duration>,
    /// Let younger things go as well, the oldest first, until the state is as small as 2GB or 500MB
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(crate) max_size: Option<u64>,
    /// Keep this many snapshots of each pipeline
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep_snapshots: u32,
    /// Let answers go that no kept unit names; asked again, they are paid again
    #[arg(long)]
    pub(crate) answers: bool,
    /// Say what would go, and keep it
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Demo {
    /// Replay the project in a copy and compare each command's output
    Run {
        /// The project, with its cassettes
        dir: PathBuf,
        /// Write the golden files instead of comparing with them
        #[arg(long)]
        update_goldens: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_duration_has_a_unit_or_is_in_seconds() {
        let whole = |text| duration(text).map(|duration| duration.as_secs());
        assert_eq!(
            ["0", "45s", "15m", "6h", "2d"].map(whole),
            [0, 45, 900, 21600, 172_800].map(Ok)
        );
        for bad in ["", "h", "-1s", "1w"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_paid_for_is_named_by_its_kind() {
        let money = |arguments: &[&str]| {
            let line = [&["synix", "build"], arguments].concat();
            let Command::Build(build) = Args::try_parse_from(line).unwrap().command else {
                panic!("another command");
            };
            build.money.retry_failed()
        };
        assert!(money(&[]).is_empty());
        assert_eq!(money(&["--retry-failed"]).len(), FailureKind::PAID.len());
        let two = [FailureKind::Refused, FailureKind::Empty];
        assert_eq!(money(&["--retry-failed=refused,empty"]), two.into());
        assert!(Args::try_parse_from(["synix", "build", "--retry-failed=auth"]).is_err());
    }

    #[test]
    fn an_amount_is_a_number_from_zero() {
        assert_eq!(dollars("2.5"), dollars("$2.50"));
        for bad in ["-1", "", "two", "nan", "1e99"] {
            assert!(dollars(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_may_have_a_fraction_and_no_sign() {
        assert_eq!(seconds("0.05"), Ok(Duration::from_millis(50)));
        for bad in ["-1", "", "1s", "inf"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
