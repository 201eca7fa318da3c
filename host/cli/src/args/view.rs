//! The arguments of `view`.

use std::net::IpAddr;
use std::path::PathBuf;

/// The options of the page.
#[derive(Debug, clap::Args)]
pub(crate) struct View {
    /// Listen on this port; 0 for any that is free [default: 7964, or any that is free if it is in use]
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
    /// Listen on this address; other machines need the token in the printed URL
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub(crate) address: IpAddr,
    /// Write the pages of the newest snapshot to this new folder instead, as files that need no server
    #[arg(long, value_name = "DIR", conflicts_with_all = ["port", "address"])]
    pub(crate) export: Option<PathBuf>,
}
