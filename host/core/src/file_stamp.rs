//! What the file system says of a file without reading it.

/// Size, modification time and number of a file.
///
/// A file whose stamp is unchanged is unchanged, with one exception: a write within the same tick of the clock. So a
/// stamp proves nothing unless the file had been left alone for [`SETTLED_NS`] when its digest was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// The size in bytes.
    pub size: u64,
    /// The time of the last change, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// The number of the file in its file system; 0 where there is none.
    pub inode: u64,
}

/// How long a file must have been left alone: file systems round times, by up to two seconds on FAT.
pub const SETTLED_NS: i64 = 3_000_000_000;

impl FileStamp {
    /// Returns whether the file had been left alone at `now_ns`.
    pub const fn is_settled(&self, now_ns: i64) -> bool {
        now_ns.saturating_sub(self.modified_ns) >= SETTLED_NS
    }
}
