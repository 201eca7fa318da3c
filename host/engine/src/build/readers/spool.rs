//! Artifacts of readers on disk, until they are recorded.
//!
//! One file may make more artifacts than fit into memory. They are not recorded one by one, because a reader may fail
//! after any of them; a plan does not record them at all.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label};

/// So many bytes are written at once.
const PENDING_BYTES: usize = 256 * 1024;

/// So many bytes are read at once: asking the system for each small artifact took a third of the time of a build.
const WINDOW_BYTES: u64 = 256 * 1024;

/// A temporary file with artifacts. It has no name, so nothing remains of it after a crash.
#[derive(Debug)]
pub(in crate::build) struct Spool {
    file: Mutex<SpoolFile>,
}

#[derive(Debug)]
struct SpoolFile {
    file: File,
    /// The bytes from `start` on, as they were last read.
    window: Vec<u8>,
    start: u64,
}

/// Where an artifact is in a spool.
#[derive(Debug, Clone, Copy)]
pub(in crate::build) struct SpoolRange {
    offset: u64,
    header_bytes: u32,
    content_bytes: u64,
}

/// An artifact in a spool.
#[derive(Debug, Clone)]
pub(in crate::build) struct SpooledArtifact {
    pub(in crate::build) label: Label,
    pub(in crate::build) digest: Digest,
    pub(in crate::build) range: SpoolRange,
}

/// All of an artifact but its content.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::build) struct SpoolHeader {
    label: Label,
    pub(in crate::build) kind: Kind,
    media_type: Option<String>,
    pub(in crate::build) metadata: Metadata,
}

impl Spool {
    fn new() -> io::Result<Self> {
        Ok(Self {
            file: Mutex::new(SpoolFile {
                file: tempfile::tempfile()?,
                window: Vec::new(),
                start: 0,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, SpoolFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns kind and metadata of an artifact.
    pub(in crate::build) fn header(&self, range: SpoolRange) -> io::Result<SpoolHeader> {
        let mut file = self.lock();
        let bytes = file.bytes(range.offset, range.header_bytes.into())?;
        Ok(serde_json::from_slice(bytes)?)
    }

    /// Returns an artifact.
    pub(in crate::build) fn artifact(&self, range: SpoolRange) -> io::Result<Artifact> {
        let SpoolHeader {
            label,
            kind,
            media_type,
            metadata,
        } = self.header(range)?;
        let start = range.offset + u64::from(range.header_bytes);
        let bytes = if range.content_bytes > WINDOW_BYTES {
            self.lock().large(start, range.content_bytes)?
        } else {
            self.lock().bytes(start, range.content_bytes)?.to_vec()
        };
        let content = match media_type {
            Some(media_type) => Content::Bytes {
                media_type,
                data: bytes,
            },
            None => Content::Text(String::from_utf8(bytes).map_err(io::Error::other)?),
        };
        Ok(Artifact {
            label,
            kind,
            content,
            metadata,
        })
    }
}

impl SpoolFile {
    /// Returns bytes of the window, which moves there if they are not in it.
    fn bytes(&mut self, offset: u64, length: u64) -> io::Result<&[u8]> {
        let end = self.start + self.window.len() as u64;
        if offset < self.start || offset + length > end {
            self.window.clear();
            self.start = offset;
            self.file.seek(SeekFrom::Start(offset))?;
            let mut rest = io::Read::by_ref(&mut self.file).take(length.max(WINDOW_BYTES));
            rest.read_to_end(&mut self.window)?;
        }
        let place = |offset: u64| usize::try_from(offset - self.start).ok();
        let bytes = place(offset)
            .zip(place(offset + length))
            .and_then(|(start, end)| self.window.get(start..end));
        bytes.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Reads a large content past the window.
    fn large(&mut self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(bytes)
    }

    /// Drops all bytes, those of the window too: others come in their place.
    fn empty(&mut self) -> io::Result<()> {
        self.window.clear();
        self.file.set_len(0)
    }
}

impl SpoolRange {
    /// Returns the size of the content.
    pub(in crate::build) const fn content_bytes(self) -> u64 {
        self.content_bytes
    }
}

/// Writes a spool; one for each thread.
#[derive(Debug)]
pub(super) struct SpoolWriter {
    spool: Arc<Spool>,
    /// Bytes that are not written yet; they belong at `written`.
    pending: Vec<u8>,
    written: u64,
    artifacts: Vec<SpooledArtifact>,
}

impl SpoolWriter {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            spool: Arc::new(Spool::new()?),
            pending: Vec::new(),
            written: 0,
            artifacts: Vec::new(),
        })
    }

    /// Drops what the last file left behind, if it is not needed any more.
    pub(super) fn start_file(&mut self) -> io::Result<()> {
        self.artifacts.clear();
        self.pending.clear();
        if Arc::strong_count(&self.spool) == 1 {
            self.spool.lock().empty()?;
            self.written = 0;
        }
        Ok(())
    }

    pub(super) fn add(&mut self, artifact: Artifact, digest: Digest) -> io::Result<()> {
        let Artifact {
            label,
            kind,
            content,
            metadata,
        } = artifact;
        let header = serde_json::to_vec(&SpoolHeader {
            label: label.clone(),
            kind,
            media_type: content.media_type().map(str::to_owned),
            metadata,
        })?;
        let range = SpoolRange {
            offset: self.written + self.pending.len() as u64,
            header_bytes: u32::try_from(header.len()).map_err(io::Error::other)?,
            content_bytes: content.as_bytes().len() as u64,
        };
        self.pending.extend_from_slice(&header);
        self.pending.extend_from_slice(content.as_bytes());
        self.artifacts.push(SpooledArtifact {
            label,
            digest,
            range,
        });
        if self.pending.len() >= PENDING_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spool.lock().append(self.written, &self.pending)?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        // A file with a few very large artifacts must not keep their buffer.
        self.pending.shrink_to(2 * PENDING_BYTES);
        Ok(())
    }

    /// Returns the artifacts of the file.
    pub(super) fn end_file(&mut self) -> io::Result<(Arc<Spool>, Vec<SpooledArtifact>)> {
        self.flush()?;
        Ok((Arc::clone(&self.spool), std::mem::take(&mut self.artifacts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(label: &str, content: Content) -> Artifact {
        Artifact {
            label: Label::parse(label).unwrap(),
            kind: Kind::parse("row").unwrap(),
            content,
            metadata: Metadata::from([("n".to_owned(), label.len().into())]),
        }
    }

    #[test]
    fn artifacts_come_back_as_they_were() {
        let mut writer = SpoolWriter::new().unwrap();
        let large = "x".repeat(PENDING_BYTES);
        let all = [
            artifact("a", Content::Text(String::new())),
            artifact("b", Content::Text(large)),
            artifact(
                "c",
                Content::Bytes {
                    media_type: "image/png".to_owned(),
                    data: vec![0, 255],
                },
            ),
        ];
        let mut kept = Vec::new();
        for _ in 0..2 {
            writer.start_file().unwrap();
            for artifact in &all {
                let digest = artifact.digest().unwrap();
                writer.add(artifact.clone(), digest).unwrap();
            }
            kept.push(writer.end_file().unwrap());
        }
        // The first file's artifacts are still needed, so the second file's follow them.
        for (spool, artifacts) in &kept {
            for (found, expected) in artifacts.iter().zip(&all) {
                assert_eq!(spool.artifact(found.range).unwrap(), *expected);
                assert_eq!(
                    spool.header(found.range).unwrap().metadata,
                    expected.metadata
                );
                assert_eq!(found.digest, expected.digest().unwrap());
            }
        }
        drop(kept);
        writer.start_file().unwrap();
        assert_eq!(
            (
                writer.written,
                writer.spool.lock().file.metadata().unwrap().len()
            ),
            (0, 0)
        );
        // What was read of the first file is not returned for the third.
        let other = artifact("d", Content::Text("other".to_owned()));
        let digest = other.digest().unwrap();
        writer.add(other.clone(), digest).unwrap();
        let (spool, artifacts) = writer.end_file().unwrap();
        assert_eq!(spool.artifact(artifacts[0].range).unwrap(), other);
    }
}
