//! A file in memory that returns parts of any size, and records what a reader hands over.

use std::collections::HashSet;
use std::io;

use super::SampleFile;
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_sandbox::{Reading, ReceiverGone, Skipped};

/// How many artifacts and skipped parts of one run are recorded. A run ends after the last one.
const MAX_ITEMS: usize = 200_000;
/// The unit in which it is counted how much of a file was read.
const BLOCK_BYTES: u64 = 1 << 20;

/// An artifact, as far as runs are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenArtifact {
    pub(super) place: String,
    pub(super) label: String,
    /// The digest; `None` if the metadata has a number without a canonical form, which the sandbox refuses.
    digest: Option<Digest>,
}

/// A file with zeros after its content, if its size is larger.
pub(super) struct MemoryFile {
    content: SampleFile,
    size: u64,
    /// The most bytes of one part.
    part_bytes: usize,
    /// How many blocks of the file may be read. The run ends after the last one.
    blocks: u64,
    read: HashSet<u64>,
    pub(super) artifacts: Vec<SeenArtifact>,
    pub(super) skipped: Vec<Skipped>,
    /// Whether the run was ended because it had read or handed over enough.
    pub(super) is_ended: bool,
}

impl MemoryFile {
    pub(super) fn new(content: SampleFile) -> Self {
        Self {
            size: content.bytes.len() as u64,
            content,
            part_bytes: usize::MAX,
            blocks: u64::MAX,
            read: HashSet::new(),
            artifacts: Vec::new(),
            skipped: Vec::new(),
            is_ended: false,
        }
    }

    /// Returns at most so many bytes at once.
    pub(super) const fn in_parts(mut self, bytes: usize) -> Self {
        self.part_bytes = bytes;
        self
    }

    /// Appends zeros up to `size`, of which a run may read `blocks` blocks of 1 MiB.
    pub(super) const fn sparse(mut self, size: u64, blocks: u64) -> Self {
        self.size = size;
        self.blocks = blocks;
        self
    }

    fn count(&mut self) -> Result<(), ReceiverGone> {
        if self.artifacts.len() + self.skipped.len() >= MAX_ITEMS {
            self.is_ended = true;
            return Err(ReceiverGone);
        }
        Ok(())
    }
}

impl Reading for MemoryFile {
    fn name(&self) -> String {
        self.content.name.clone()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read(&mut self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = self.size.saturating_sub(offset);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let length = length.min(left).min(self.part_bytes);
        if length > 0 {
            // A block that is read again is no progress: a reader that goes on so for ever runs out of time.
            self.read.insert(offset / BLOCK_BYTES);
        }
        if self.read.len() as u64 > self.blocks {
            self.is_ended = true;
            return Err(io::Error::other("the check has seen enough"));
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.content.bytes.get(start..).unwrap_or_default();
        let mut bytes = rest.get(..length).unwrap_or(rest).to_vec();
        bytes.resize(length, 0);
        Ok(bytes)
    }

    fn emit(&mut self, place: &str, artifact: Artifact) -> Result<(), ReceiverGone> {
        self.count()?;
        self.artifacts.push(SeenArtifact {
            place: place.to_owned(),
            label: artifact.label.to_string(),
            digest: artifact.digest().ok(),
        });
        Ok(())
    }

    fn skip(&mut self, skipped: Skipped) -> Result<(), ReceiverGone> {
        self.count()?;
        self.skipped.push(skipped);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> MemoryFile {
        MemoryFile::new(SampleFile {
            name: "a".to_owned(),
            bytes: b"0123456789".to_vec().into(),
        })
    }

    #[test]
    fn parts_are_cut_and_zeros_follow_the_content() {
        let mut whole = file();
        assert_eq!(whole.read(8, 5).unwrap(), b"89");
        let mut cut = file().in_parts(3);
        assert_eq!(cut.read(2, 5).unwrap(), b"234");
        let mut sparse = file().sparse(1 << 40, 2);
        assert_eq!(sparse.size(), 1 << 40);
        assert_eq!(sparse.read(8, 4).unwrap(), b"89\0\0");
        assert_eq!(sparse.read((1 << 40) - 1, 4).unwrap(), b"\0");
        assert!(sparse.read(8, 4).is_ok() && !sparse.is_ended);
        assert!(sparse.read(1 << 30, 4).is_err() && sparse.is_ended);
    }
}
