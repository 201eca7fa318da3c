//! The limits of a download: its bytes and its time.

use std::path::Path;
use std::time::Duration;

/// The most bytes of a row: an answer with the log probabilities of its tokens.
pub(super) const ROW_BYTES: u64 = 32 << 20;

/// The most bytes of a file.
const FILE_BYTES: u64 = 20 << 30;

/// The disk space that remains free, unless that is more than half of the free space.
const SPARE_BYTES: u64 = 1 << 30;

/// The time limit of a file, for all attempts together.
const TOTAL_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The limits of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DownloadLimits {
    pub(super) bytes: u64,
    /// What limits the bytes, for the error.
    pub(super) limited_by: &'static str,
    pub(super) time: Duration,
}

impl DownloadLimits {
    /// Returns the limits of a file of `requests` rows on a disk with `free` bytes left.
    pub(super) fn new(requests: u64, free: Option<u64>) -> Self {
        // A file of errors may have a row although the batch has no request.
        let rows = requests.max(1).saturating_mul(ROW_BYTES);
        let free = free.map_or(u64::MAX, |free| {
            free.saturating_sub(SPARE_BYTES).max(free / 2)
        });
        let limits = [
            (rows, "its rows"),
            (FILE_BYTES, "a file"),
            (free, "the space left on this disk"),
        ];
        let (bytes, limited_by) = limits
            .into_iter()
            .min_by_key(|(bytes, _)| *bytes)
            .unwrap_or((rows, "its rows"));
        Self {
            bytes,
            limited_by,
            time: TOTAL_TIME,
        }
    }
}

/// Returns the free bytes of the disk of a folder, if the system reports them.
#[cfg(target_os = "linux")]
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W13
    #[test]
    fn rows_disk_and_maximum_size_limit_a_file() {
        const GIB: u64 = 1 << 30;
        let limit = |requests, free| DownloadLimits::new(requests, free).bytes;
        assert_eq!(limit(3, None), 3 * ROW_BYTES);
        assert_eq!(limit(0, None), ROW_BYTES);
        assert_eq!(limit(1_000_000, None), 20 * GIB);
        assert_eq!(limit(u64::MAX, Some(6 * GIB)), 5 * GIB);
        assert_eq!(limit(1000, Some(GIB)), GIB / 2);
        assert_eq!(
            DownloadLimits::new(1000, Some(GIB)).limited_by,
            "the space left on this disk"
        );
        assert_eq!(
            DownloadLimits::new(1, None).time,
            Duration::from_secs(86_400)
        );
    }
}
