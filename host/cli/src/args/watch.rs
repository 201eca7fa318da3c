//! The arguments of `watch`.

use std::path::PathBuf;
use std::time::Duration;

use synix_prices::Amount;

use super::builds::{TrustFlag, dollars};
use super::{CostArgs, PipelineArg};
use crate::quantity::duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArg,
    /// Build once nothing has changed for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1s")]
    pub(crate) pause: Duration,
    /// Compare the files this often, for file systems that report no changes
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) poll: Option<Duration>,
    /// Build units without the inputs that failed
    #[arg(long)]
    pub(crate) allow_partial: bool,
    #[command(flatten)]
    pub(crate) trust: TrustFlag,
    /// Write a release after each build that completed without errors, as `release` does
    #[arg(long)]
    pub(crate) release: bool,
    /// Write the releases to this folder [default: release next to the pipeline file]
    #[arg(long, value_name = "DIR", requires = "release")]
    pub(crate) to: Option<PathBuf>,
    /// Keep this many releases, the new one included, and delete older ones [default: all]
    #[arg(long, value_name = "N", requires = "release", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: Option<u32>,
    #[command(flatten)]
    pub(crate) costs: CostArgs,
    /// Refuse to send requests that could make all builds of a day (UTC) cost more than this many US dollars
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) daily_budget: Option<Amount>,
}
