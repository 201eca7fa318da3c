//! The digests of source files: known ones by their stamps, others by reading the files.

use std::collections::HashMap;
use std::sync::Arc;

use super::BuildError;
use super::answerer::Answerer;
use super::recorder::Record as _;
use super::scheduler::Step;
use synix_core::clock::Clock;
use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;
use synix_sandbox::InterruptHandle;
use synix_sources::{ProjectFolder, ReaderFile, SourceError};
use synix_store::{FileDigest, Reader};

/// Which source files are read although nothing about them changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reread {
    /// Those whose stamps are unchanged are hashed.
    pub(super) unchanged: bool,
    /// Those that their reader could not read are read again.
    pub(super) failed: bool,
}

/// The digests of files that are known, by path. A clone shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownDigests(Arc<HashMap<String, FileDigest>>);

/// The digests of files that are known, and those that this build found out.
#[derive(Debug, Default)]
pub(super) struct FileDigests {
    pub(super) known: KnownDigests,
    found: Vec<(String, FileDigest)>,
}

impl KnownDigests {
    /// Returns the digest and the stamp of a file that is unchanged; `stamp` is what the search for files learned.
    pub(super) fn unchanged(
        &self,
        folder: &ProjectFolder,
        path: &str,
        stamp: Option<FileStamp>,
    ) -> Option<(Digest, FileStamp)> {
        let known = self.0.get(path)?;
        let stamp = match stamp {
            Some(stamp) => stamp,
            None => folder.stamp(path).ok()?,
        };
        known.proves(&stamp).then_some((known.digest, stamp))
    }
}

impl FileDigests {
    /// Reads the known digests, unless unchanged files are hashed again.
    pub(super) fn open(reader: Option<&Reader>, reread: Reread) -> Result<Self, BuildError> {
        let known = match reader {
            Some(reader) if !reread.unchanged => reader.file_digests()?,
            Some(_) | None => HashMap::new(),
        };
        Ok(Self {
            known: KnownDigests(Arc::new(known)),
            found: Vec::new(),
        })
    }

    /// Returns the digest and the stamp of a file, which is read unless it is unchanged. `None`: the build was
    /// interrupted.
    pub(super) fn digest(
        &mut self,
        folder: &ProjectFolder,
        ReaderFile { path, stamp }: &ReaderFile,
        interruption: &InterruptHandle,
    ) -> Result<Option<(Digest, FileStamp)>, SourceError> {
        if let Some(known) = self.known.unchanged(folder, path, *stamp) {
            return Ok(Some(known));
        }
        let mut file = folder.open_source(path)?;
        let Some(digest) = file.digest(&|| interruption.is_stopped())? else {
            return Ok(None);
        };
        file.check_unchanged()?;
        self.learn(path, file.stamp(), digest);
        Ok(Some((digest, file.stamp())))
    }

    /// Keeps the digest of a file that was read.
    pub(super) fn learn(&mut self, path: &str, stamp: FileStamp, digest: Digest) {
        // The times of files are those of the system's clock, also where a build has another one.
        let now_ms = i64::try_from(Clock::Real.now().0).unwrap_or(0);
        let file = FileDigest {
            stamp,
            stamped_ns: now_ms.saturating_mul(1_000_000),
            digest,
        };
        // A stamp that proves nothing is not worth a row.
        if file.proves(&stamp) {
            self.found.push((path.to_owned(), file));
        }
    }
}

impl<A: Answerer> Step<'_, '_, '_, A> {
    /// Records the digests that were found out since the last call.
    pub(super) fn record_digests(&mut self) -> Result<(), BuildError> {
        for (path, file) in std::mem::take(&mut self.files.found) {
            self.record.file_digest(&path, &file)?;
        }
        Ok(())
    }
}
