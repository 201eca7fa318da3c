//! The digests of source files as they were last read (table `file_digest`).
//!
//! An unchanged file is not read again. Whether it is unchanged is decided by its stamp, and the stamp counts only if
//! the file had been left alone for a while when it was hashed.

use std::collections::HashMap;

use rusqlite::params;

use super::recovery::seal;
use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;

/// The digest of a file's bytes, and the stamp that the file had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDigest {
    /// The stamp before and after the file was read.
    pub stamp: FileStamp,
    /// When it was read, in nanoseconds since 1970.
    pub stamped_ns: i64,
    /// The digest of its bytes.
    pub digest: Digest,
}

impl FileDigest {
    /// Returns whether a file with this stamp has the same bytes.
    pub fn proves(&self, stamp: &FileStamp) -> bool {
        self.stamp == *stamp && self.stamp.is_settled(self.stamped_ns)
    }
}

impl Transaction<'_> {
    /// Records the digest of a file; `path` is relative to the project.
    pub fn store_file_digest(&self, path: &str, file: &FileDigest) -> Result<(), StoreError> {
        let FileDigest {
            stamp,
            stamped_ns,
            digest,
        } = file;
        let seal = seal::of_file_digest(path, stamp, *stamped_ns, *digest);
        self.execute(
            "INSERT OR REPLACE INTO file_digest (path, size, modified, inode, stamped, digest, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                path,
                stamp.size,
                stamp.modified_ns,
                stamp.inode.cast_signed(),
                stamped_ns,
                digest.as_bytes(),
                seal
            ],
        )
    }
}

impl Reader {
    /// Returns the recorded digests of files, by their paths relative to the project.
    ///
    /// A row that does not match its seal is left out: its file is read again.
    pub fn file_digests(&self) -> Result<HashMap<String, FileDigest>, StoreError> {
        if !self.additions.readers {
            return Ok(HashMap::new());
        }
        type Row = (String, u64, i64, i64, i64, [u8; 32], Option<i64>);
        let rows: Vec<Row> = self.query(
            "SELECT path, size, modified, inode, stamped, digest, seal FROM file_digest",
            [],
            |row| Row::try_from(row),
        )?;
        let checked = rows.into_iter().filter_map(
            |(path, size, modified_ns, inode, stamped_ns, digest, found)| {
                let stamp = FileStamp {
                    size,
                    modified_ns,
                    inode: inode.cast_unsigned(),
                };
                let digest = Digest::from_bytes(digest);
                let expected = seal::of_file_digest(&path, &stamp, stamped_ns, digest);
                let file = FileDigest {
                    stamp,
                    stamped_ns,
                    digest,
                };
                (found == Some(expected)).then_some((path, file))
            },
        );
        Ok(checked.collect())
    }
}
