//! The arguments of commands that build with single requests or batches.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Subcommand;
use synix_core::request::FailureKind;
use synix_engine::build::WaitPolicy;
use synix_prices::Amount;

use super::{PipelineArg, TrialArgs};
use crate::quantity::duration;

/// The heading of the options of `build` that apply to batches only.
const BATCHES: &str = "Options with --batch";

#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArg,
    /// Send requests through the providers' batch APIs, as `batch-build run` does
    #[arg(long, conflicts_with = "no_wait")]
    pub(crate) batch: bool,
    /// Exit with code 4 instead of waiting for answers from a batch or another process
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) risks: RiskArgs,
    #[command(flatten)]
    pub(crate) costs: CostArgs,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) trial: TrialArgs,
    #[command(flatten, next_help_heading = BATCHES)]
    pub(crate) poll: PollArgs,
    #[command(flatten, next_help_heading = BATCHES)]
    pub(crate) fallback: FallbackArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArg,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) trial: TrialArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// Read every source file, even if its size and its time of modification are unchanged
    #[arg(long)]
    pub(crate) rehash: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CostArgs {
    /// Refuse to send requests that could make the build cost more than this many US dollars
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) budget: Option<Amount>,
    /// Send requests again that were paid for without a usable answer, and pay again, and read failed files again: all of them, or these kinds
    #[arg(long, value_name = "KIND,…", value_parser = retry_kind, num_args = 0..=1, require_equals = true, value_delimiter = ',', default_missing_value = "all")]
    retry_failed: Vec<RetryKind>,
}

/// The failures that are retried although the same would most likely fail again: requests that were paid for, and files
/// that their reader could not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RetryKind {
    All,
    Kind(FailureKind),
}

impl CostArgs {
    /// Returns the kinds of failure that are retried, and paid for again.
    pub(crate) fn retry_failed(&self) -> BTreeSet<FailureKind> {
        let named = self.retry_failed.iter().flat_map(|paid| match paid {
            RetryKind::All => retried_kinds().collect(),
            RetryKind::Kind(kind) => vec![*kind],
        });
        named.collect()
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct RiskArgs {
    /// Build units without the inputs that failed
    #[arg(long)]
    pub(crate) allow_partial: bool,
    /// Replace a damaged state by a new one; you pay again for the answers in the damaged one
    #[arg(long)]
    pub(crate) reset_state: bool,
    #[command(flatten)]
    pub(crate) trust: TrustFlag,
}

/// A permission for one command only.
#[derive(Debug, clap::Args)]
pub(crate) struct TrustFlag {
    /// Grant, for this command only, all permissions that `synix trust` shows
    #[arg(long)]
    pub(crate) trust: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchBuild {
    /// Start a build, submit its batches and exit
    Run {
        #[command(flatten)]
        pipeline: PipelineArg,
        #[command(flatten)]
        run: RunArgs,
        #[command(flatten)]
        trial: TrialArgs,
    },
    /// Continue a build
    Resume(Resume),
    /// Show what a batch build would do, without sending anything
    Plan(Plan),
    /// List the batch builds, the newest first; `synix builds` lists all builds
    List,
    /// Show the status of a build
    Status {
        #[command(flatten)]
        selection: BuildSelection,
        /// Exit with code 4 while the build is open, 3 if units failed, 1 if it failed or was cancelled
        #[arg(long)]
        exit_code: bool,
        /// Wait until the build has ended and print each change; uses no provider
        #[arg(long)]
        watch: bool,
        /// Read the state this often
        #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s", requires = "watch")]
        poll_interval: Duration,
    },
    /// Cancel a build and its batches at the providers
    Cancel {
        #[command(flatten)]
        selection: BuildSelection,
        #[command(flatten)]
        trust: TrustFlag,
        #[cfg(feature = "restate")]
        #[command(flatten)]
        remote: super::RemoteArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BuildsCommand {
    /// Show a build, or with --log what happened in it
    Show(ShowBuild),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowBuild {
    /// The build: build-7, 7, or an unambiguous beginning of its id
    pub(crate) build: String,
    /// Show its events in the order of time: requests, units, batches
    #[arg(long)]
    pub(crate) log: bool,
    /// Show at most this many events
    #[arg(long, value_name = "N", default_value = "1000", requires = "log", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// Leave out this many of the oldest events
    #[arg(long, value_name = "N", default_value = "0", requires = "log", value_parser = clap::value_parser!(u64).range(..=1_000_000_000_000))]
    pub(crate) after: u64,
}

/// The options of a command that runs a batch build.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) poll: PollArgs,
    #[command(flatten)]
    pub(crate) risks: RiskArgs,
    #[command(flatten)]
    pub(crate) fallback: FallbackArgs,
    #[command(flatten)]
    pub(crate) costs: CostArgs,
    #[command(flatten)]
    pub(crate) files: FileArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) selection: BuildSelection,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Continue even though the pipeline has changed since the build was started
    #[arg(long)]
    pub(crate) allow_pipeline_mismatch: bool,
    /// Use this batch as the one whose creation was never confirmed
    #[arg(long, value_name = "ID", conflicts_with = "create_again")]
    pub(crate) adopt: Option<String>,
    /// Recreate a batch whose creation was never confirmed, even if the provider may already have it
    #[arg(long)]
    pub(crate) create_again: bool,
    #[cfg(feature = "restate")]
    #[command(flatten)]
    pub(crate) remote: super::RemoteArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FallbackArgs {
    /// Cancel batches that take longer, such as 6h, and send the rest as single requests
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) sync_after: Option<Duration>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BuildSelection {
    /// The build: build-7, 7, or an unambiguous beginning of its id [default: the newest batch build]
    pub(crate) build: Option<String>,
    /// Use the newest batch build; this is the default
    #[arg(long, conflicts_with = "build")]
    latest: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PollArgs {
    /// Wait until the batches have ended
    #[arg(long)]
    poll: bool,
    /// Poll the batches this often
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s", requires = "poll")]
    pub(crate) poll_interval: Duration,
    /// Exit after this long
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "poll")]
    poll_timeout: Option<Duration>,
}

impl PollArgs {
    /// Returns whether to wait until the batches have ended.
    pub(crate) const fn is_polling(&self) -> bool {
        self.poll
    }

    pub(crate) const fn wait_policy(&self) -> WaitPolicy {
        if self.poll {
            WaitPolicy::Poll {
                interval: self.poll_interval,
                timeout: self.poll_timeout,
            }
        } else {
            WaitPolicy::PollOnce
        }
    }
}

fn retry_kind(text: &str) -> Result<RetryKind, String> {
    if text == "all" {
        return Ok(RetryKind::All);
    }
    retried_kinds()
        .find(|kind| kind.name() == text)
        .map(RetryKind::Kind)
        .ok_or_else(|| {
            let names: Vec<&str> = retried_kinds().map(FailureKind::name).collect();
            let names = names.join(", ");
            format!("the kinds are {names}; requests that cost nothing are always sent again")
        })
}

/// Returns the kinds that a user can name; `guest` is that of files.
fn retried_kinds() -> impl Iterator<Item = FailureKind> {
    FailureKind::PAID.into_iter().chain([FailureKind::Guest])
}

pub(super) fn dollars(text: &str) -> Result<Amount, &'static str> {
    let usd = text.strip_prefix('$').unwrap_or(text).parse().ok();
    usd.and_then(Amount::from_usd)
        .ok_or("write an amount in US dollars, such as 2.50")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Command};

    #[test]
    fn failures_to_retry_are_named_by_their_kinds() {
        let retried = |arguments: &[&str]| {
            let line = [&["synix", "build"], arguments].concat();
            let Command::Build(build) = Args::try_parse_from(line).unwrap().command else {
                panic!("another command");
            };
            build.costs.retry_failed()
        };
        assert!(retried(&[]).is_empty());
        let all = FailureKind::PAID.into_iter().chain([FailureKind::Guest]);
        assert_eq!(retried(&["--retry-failed"]), all.collect());
        let files = [FailureKind::Guest];
        assert_eq!(retried(&["--retry-failed=guest"]), files.into());
        let two = [FailureKind::Refused, FailureKind::Empty];
        assert_eq!(retried(&["--retry-failed=refused,empty"]), two.into());
        assert!(Args::try_parse_from(["synix", "build", "--retry-failed=auth"]).is_err());
    }

    #[test]
    fn an_amount_is_a_number_that_is_not_negative() {
        assert_eq!(dollars("2.5"), dollars("$2.50"));
        for bad in ["-1", "", "two", "nan", "1e99"] {
            assert!(dollars(bad).is_err(), "{bad}");
        }
    }
}
