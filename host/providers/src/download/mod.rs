//! Downloads files of rows: never a whole file in memory, none that may be incomplete (A5), none without limits.

mod decode;
mod fetch;
mod limits;
mod row_scanner;
#[cfg(test)]
mod tests;

use std::path::Path;

use tokio::time::Instant;

use super::error::ProviderError;
use super::retry::NotFound;
use super::transport::Transport;
use fetch::{Refetch, fetch};
use limits::{DownloadLimits, free_bytes};

/// Enough retries to receive the same file twice.
const MIN_RETRIES: u32 = 2;

/// A file at a provider.
#[derive(Debug)]
pub(super) struct RemoteFile<'a> {
    /// The name in errors.
    pub(super) name: &'a str,
    /// The segments of its path below the base URL.
    pub(super) path: &'a [&'a str],
    /// Its size, if the provider reports it.
    pub(super) size: Option<u64>,
    /// The number of rows that it should have, if that is known.
    pub(super) rows: Option<u64>,
    /// The number of rows that it may have: that of the requests.
    pub(super) requests: u64,
}

/// Downloads a file to `to` and returns its length. Writes the complete file or nothing.
pub(super) async fn download(
    transport: &Transport,
    remote: &RemoteFile<'_>,
    to: &Path,
) -> Result<u64, ProviderError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    synix_disk::create_folder(folder)?;
    let limits = DownloadLimits::new(remote.requests, free_bytes(folder));
    download_within(transport, remote, folder, to, limits).await
}

async fn download_within(
    transport: &Transport,
    remote: &RemoteFile<'_>,
    folder: &Path,
    to: &Path,
    limits: DownloadLimits,
) -> Result<u64, ProviderError> {
    let too_slow = || ProviderError::TooSlow {
        provider: transport.provider().to_owned(),
        file: remote.name.to_owned(),
        after: limits.time,
    };
    let deadline = Instant::now() + limits.time;
    let retry = transport.retry_state();
    let retry = retry.treating_not_found_as(NotFound::Transient);
    let mut retry = retry.with_at_least(MIN_RETRIES);
    let mut previous = None;
    loop {
        // A timer alone lets a reply within its resolution pass.
        if Instant::now() >= deadline {
            return Err(too_slow());
        }
        retry.sends += 1;
        let fetched = fetch(transport, remote, folder, limits);
        let fetched = tokio::time::timeout_at(deadline, fetched).await;
        let error = match fetched.map_err(|_| too_slow())? {
            Ok(fetched) => match fetched.must_refetch(remote, previous) {
                None => return fetched.persist(to).await,
                Some(Refetch::TooShort { expected }) => ProviderError::Truncated {
                    provider: transport.provider().to_owned(),
                    file: remote.name.to_owned(),
                    expected,
                    received: fetched.size.length,
                },
                Some(Refetch::Unconfirmed) => {
                    previous = Some(fetched.digest);
                    ProviderError::Inconsistent {
                        provider: transport.provider().to_owned(),
                        file: remote.name.to_owned(),
                    }
                }
            },
            Err(error) => error,
        };
        retry.back_off(error).await?;
    }
}
