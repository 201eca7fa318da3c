//! The arguments of a service, and of the commands that use one.

use std::net::SocketAddr;
use std::num::NonZero;
use std::time::Duration;

use synix_prices::Amount;

use super::builds::dollars;
use super::{CostArgs, FallbackArgs, FileArgs};
use crate::quantity::duration;

/// The projects of a service, and how it is reached.
#[derive(Debug, clap::Args)]
pub(crate) struct Service {
    /// A project: a pipeline file or its folder; it has the name of its pipeline unless you write NAME=PATH [default: the project at hand]
    #[arg(value_name = "[NAME=]PATH")]
    pub(crate) projects: Vec<String>,
    /// Listen on this address and port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9081")]
    pub(crate) listen: SocketAddr,
    /// Tell the server whose admin API has this URL where the service is
    #[arg(long, value_name = "URL")]
    pub(crate) register: Option<String>,
    /// The URL under which the server reaches the service [default: that of --listen]
    #[arg(long, value_name = "URL", requires = "register")]
    pub(crate) advertise: Option<String>,
    /// Run at most this many builds at a time
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) jobs: NonZero<usize>,
    /// Accept only requests that the server has signed with the private key of this public key; repeat the option for several
    #[arg(long, value_name = "KEY")]
    pub(crate) identity_key: Vec<String>,
    /// Refuse to send requests that could make a build cost more than this many US dollars, whatever is submitted
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) max_budget: Option<Amount>,
}

/// The project at a service.
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectArg {
    /// The name of the project at the service [default: the name of the pipeline at hand]
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<String>,
}

/// Whether a command is about the builds of a service.
#[derive(Debug, clap::Args)]
pub(crate) struct RemoteArgs {
    /// Ask the service that the server of --engine knows, instead of the project at hand
    #[arg(long)]
    pub(crate) remote: bool,
    /// The name of the project at the service [default: the name of the pipeline at hand]
    #[arg(long, value_name = "NAME", requires = "remote")]
    pub(crate) project: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Submit {
    #[command(flatten)]
    pub(crate) project: ProjectArg,
    /// Send requests through the providers' batch APIs
    #[arg(long)]
    pub(crate) batch: bool,
    /// Wait until the build has ended, and exit as `build` does
    #[arg(long)]
    pub(crate) wait: bool,
    /// Let the service poll batches this often
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub(crate) poll_interval: Duration,
    /// Build units without the inputs that failed
    #[arg(long)]
    pub(crate) allow_partial: bool,
    #[command(flatten)]
    pub(crate) costs: CostArgs,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) fallback: FallbackArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    /// The build: build-7, 7, an unambiguous beginning of its id, or its job [default: the newest build]
    pub(crate) build: Option<String>,
    #[command(flatten)]
    pub(crate) project: ProjectArg,
    /// Print what happens until the build has ended
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Show at most this many events
    #[arg(long, value_name = "N", default_value = "1000", conflicts_with = "follow", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Leave out this many of the oldest events
    #[arg(long, value_name = "N", default_value = "0", conflicts_with = "follow", value_parser = clap::value_parser!(u64).range(..=1_000_000_000_000))]
    pub(crate) after: u64,
}
