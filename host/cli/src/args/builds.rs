//! The arguments of commands that build, by single calls or through batches.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Subcommand;
use synix_core::request::FailureKind;
use synix_engine::build::WaitPolicy;
use synix_prices::Amount;

use super::PipelineArg;
use crate::quantity::duration;

/// Options of `build` that matter to batches alone.
const BATCHES: &str = "Options with --batch";

#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArg,
    /// Send requests through the providers' batch APIs, as `batch-build run` does
    #[arg(long, conflicts_with = "no_wait")]
    pub(crate) batch: bool,
    /// Exit with code 4 instead of waiting for answers that a batch or another process will bring
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) risks: Risks,
    #[command(flatten)]
    pub(crate) money: Money,
    #[command(flatten, next_help_heading = BATCHES)]
    pub(crate) poll: Poll,
    #[command(flatten, next_help_heading = BATCHES)]
    pub(crate) fallback: SyncAfter,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Money {
    /// Refuse to send anything that could make the build cost more than this many US dollars
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
    /// Build units without the inputs that failed
    #[arg(long)]
    pub(crate) allow_partial: bool,
    /// Start a new state if this one is damaged; the answers it held are paid for again
    #[arg(long)]
    pub(crate) reset_state: bool,
    #[command(flatten)]
    pub(crate) yes: TrustFlag,
}

/// A yes that is not kept, for commands that act for the user.
#[derive(Debug, clap::Args)]
pub(crate) struct TrustFlag {
    /// Say yes, for this command, to all that `synix trust` shows
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
        drive: Drive,
    },
    /// Continue a build
    Resume(Resume),
    /// Show what a batch build would do, without sending anything
    Plan(PipelineArg),
    /// List the batch builds, the newest first; `synix builds` lists all builds
    List,
    /// Show the state of a build
    Status {
        #[command(flatten)]
        which: Which,
        /// Exit with 4 while the build is open, 3 if units failed, 1 if it failed or was cancelled
        #[arg(long)]
        exit_code: bool,
        /// Stay until the build has ended and print each change; asks no provider
        #[arg(long)]
        watch: bool,
        /// How often to look at the state
        #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s", requires = "watch")]
        poll_interval: Duration,
    },
    /// Cancel a build and its batches at the providers
    Cancel {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        yes: TrustFlag,
    },
}

/// How a batch build is driven.
#[derive(Debug, clap::Args)]
pub(crate) struct Drive {
    #[command(flatten)]
    pub(crate) poll: Poll,
    #[command(flatten)]
    pub(crate) risks: Risks,
    #[command(flatten)]
    pub(crate) fallback: SyncAfter,
    #[command(flatten)]
    pub(crate) money: Money,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) drive: Drive,
    /// Continue even though the pipeline has changed since the build was started
    #[arg(long)]
    pub(crate) allow_pipeline_mismatch: bool,
    /// Use this batch as the one whose creation was never confirmed
    #[arg(long, value_name = "ID", conflicts_with = "create_again")]
    pub(crate) adopt: Option<String>,
    /// Recreate a batch whose creation was never confirmed, even if the provider may already have it
    #[arg(long)]
    pub(crate) create_again: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SyncAfter {
    /// Cancel batches that take longer, such as 6h, and send the rest as single requests
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) sync_after: Option<Duration>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The build: build-7, 7, or the beginning of an id that no other build shares [default: the newest batch build]
    pub(crate) build: Option<String>,
    /// Use the newest batch build, as without BUILD
    #[arg(long, conflicts_with = "build")]
    latest: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Poll {
    /// Stay until the batches have ended
    #[arg(long)]
    poll: bool,
    /// How often to look at the batches
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s", requires = "poll")]
    poll_interval: Duration,
    /// Exit after this long
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "poll")]
    poll_timeout: Option<Duration>,
}

impl Poll {
    /// Says whether to stay until the batches have ended.
    pub(crate) const fn stays(&self) -> bool {
        self.poll
    }

    pub(crate) const fn wait_policy(&self) -> WaitPolicy {
        if self.poll {
            WaitPolicy::Poll {
                interval: self.poll_interval,
                timeout: self.poll_timeout,
            }
        } else {
            WaitPolicy::Leave
        }
    }
}

fn paid(text: &str) -> Result<Paid, String> {
    if text == "all" {
        return Ok(Paid::All);
    }
    FailureKind::paid_from_name(text)
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Command};

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
}
