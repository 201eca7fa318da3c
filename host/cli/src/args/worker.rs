//! The arguments of `worker`.

use std::net::SocketAddr;
use std::num::NonZero;

/// How a worker is reached, and what it uses.
#[derive(Debug, clap::Args)]
pub(crate) struct Worker {
    /// Listen on this address and port; on Linux, several workers may have the same
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9080")]
    pub(crate) listen: SocketAddr,
    /// Get plugins and inputs from this store, as the builds do [default: SYNIX_ENGINE_CONTENT, or SYNIX_SHARED_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) content: Option<String>,
    /// Tell the server whose admin API has this URL where the worker is
    #[arg(long, value_name = "URL")]
    pub(crate) register: Option<String>,
    /// The URL under which the server reaches the workers, such as that of a load balancer [default: that of --listen]
    #[arg(long, value_name = "URL", requires = "register")]
    pub(crate) advertise: Option<String>,
    /// Run at most this many chunks of units at a time [default: the number of cores]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,
    /// Accept only requests that the server has signed with the private key of this public key; repeat the option for several
    #[arg(long, value_name = "KEY")]
    pub(crate) identity_key: Vec<String>,
}
