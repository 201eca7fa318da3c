//! Fetches a file once, and decides whether it is complete.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::RemoteFile;
use super::decode::{START_BYTES, decode, detect_encoding};
use super::limits::DownloadLimits;
use super::row_scanner::{FileEnd, FileSize, RowScanner};
use crate::content_encoding::DecodeError;
use crate::error::ProviderError;
use crate::transport::{self, Transport};
use synix_core::digest::Digest;
use synix_disk::DiskError;

/// A file as it arrived in one attempt.
pub(super) struct FetchedFile {
    temporary: NamedTempFile,
    pub(super) size: FileSize,
    /// The number of bytes received, before they were decoded.
    received: u64,
    pub(super) digest: Digest,
    is_framed: bool,
    end: FileEnd,
}

/// Why a file must be fetched again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refetch {
    /// It has fewer bytes than the provider reports.
    TooShort { expected: u64 },
    /// Nothing proves that it is complete. If the same bytes arrive again, it is.
    Unconfirmed,
}

/// Fetches a file into a temporary one in `folder`.
pub(super) async fn fetch(
    transport: &Transport,
    remote: &RemoteFile<'_>,
    folder: &Path,
    limits: DownloadLimits,
) -> Result<FetchedFile, ProviderError> {
    let mut response = transport.get_file(remote.path).await?;
    let unwritable = |source| write_error(folder, source);
    let too_large = || ProviderError::TooLarge {
        provider: transport.provider().to_owned(),
        file: remote.name.to_owned(),
        max_bytes: limits.bytes,
        limited_by: limits.limited_by,
    };
    let temporary = NamedTempFile::new_in(folder).map_err(unwritable)?;
    let is_framed = transport::is_framed(&response);
    let header = transport::content_encoding_header(response.headers());
    let mut writer = BufWriter::with_capacity(1 << 18, temporary);
    let (mut scanner, mut start) = (RowScanner::default(), Vec::new());
    while let Some(chunk) = transport.next_chunk(&mut response).await? {
        let chunk = chunk.as_ref();
        if scanner.length + chunk.len() as u64 > limits.bytes {
            return Err(too_large());
        }
        writer.write_all(chunk).map_err(unwritable)?;
        scanner.scan(chunk);
        let room = START_BYTES - start.len();
        start.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    let temporary = writer
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    let received = scanner.length;
    let undecodable = |error: &DecodeError| ProviderError::Undecodable {
        provider: transport.provider().to_owned(),
        file: remote.name.to_owned(),
        reason: error.to_string(),
    };
    let encoding = detect_encoding(&header, &start).map_err(|error| undecodable(&error))?;
    let (temporary, scanner) = match encoding {
        None => (temporary, scanner),
        Some(encoding) => {
            let (folder, max_bytes) = (folder.to_owned(), limits.bytes);
            let decoding = tokio::task::spawn_blocking(move || {
                decode(encoding, &temporary, &folder, max_bytes)
            });
            let decoded = decoding.await.map_err(io::Error::other);
            match decoded.map_err(unwritable)? {
                Ok(decoded) => decoded,
                Err(DecodeError::TooLong(_)) => return Err(too_large()),
                Err(DecodeError::Sink(source)) => return Err(unwritable(source).into()),
                Err(error @ (DecodeError::Malformed { .. } | DecodeError::Unknown(_))) => {
                    return Err(undecodable(&error));
                }
            }
        }
    };
    let (size, digest, end) = scanner.finish();
    Ok(FetchedFile {
        temporary,
        size,
        received,
        digest,
        is_framed,
        end,
    })
}

impl FetchedFile {
    /// Returns why the file must be fetched again; `None` if it is complete.
    ///
    /// `previous` is the digest of the attempt before.
    pub(super) fn must_refetch(
        &self,
        remote: &RemoteFile<'_>,
        previous: Option<Digest>,
    ) -> Option<Refetch> {
        // A provider may count the bytes that it stores or those that it sends.
        let lengths = [self.size.length, self.received];
        let has_all_bytes = match remote.size {
            Some(expected) if lengths.iter().all(|length| *length < expected) => {
                return Some(Refetch::TooShort { expected });
            }
            Some(expected) => lengths.contains(&expected),
            None => self.is_framed,
        };
        let lacks_rows = remote.rows.is_some_and(|rows| self.size.lines < rows);
        // A proxy that cuts a file cuts it at the same byte again. So two equal files that end
        // within a row prove nothing, unless the provider reports that size.
        let is_plausible = self.end != FileEnd::WithinRow
            || remote.size.is_some_and(|size| lengths.contains(&size));
        let is_complete = (has_all_bytes && self.end == FileEnd::Newline && !lacks_rows)
            || (is_plausible && previous == Some(self.digest));
        (!is_complete).then_some(Refetch::Unconfirmed)
    }

    /// Syncs the file to disk, then moves it to its final path.
    pub(super) async fn persist(self, to: &Path) -> Result<u64, ProviderError> {
        let Self {
            temporary, size, ..
        } = self;
        let target = to.to_owned();
        let moved = tokio::task::spawn_blocking(move || {
            temporary.as_file().sync_all()?;
            temporary.persist(target).map_err(io::Error::from)
        });
        let moved = moved.await.map_err(io::Error::other).flatten();
        moved.map_err(|source| write_error(to, source))?;
        Ok(size.length)
    }
}

fn write_error(path: &Path, source: io::Error) -> DiskError {
    DiskError {
        action: "write",
        path: path.to_owned(),
        source,
    }
}
