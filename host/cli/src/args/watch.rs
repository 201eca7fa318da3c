//! The arguments of `watch`.

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
    #[command(flatten)]
    pub(crate) costs: CostArgs,
    /// Refuse to send requests that could make all builds of a day (UTC) cost more than this many US dollars
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) daily_budget: Option<Amount>,
}
