//! Reads the texts of a source ahead of the thread that records them.

use std::sync::mpsc::sync_channel;
use std::thread;

use rayon::prelude::*;

use super::BuildError;
use super::file_digests::KnownDigests;
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;
use synix_core::ids::Kind;
use synix_core::json::UnsafeNumber;
use synix_sources::{ProjectFolder, SourceError, SourceFile};

/// Files are read in chunks of at most so many files and bytes. Two chunks are in memory at a time.
const CHUNK_FILES: usize = 64;
const CHUNK_BYTES: u64 = 8 << 20;

/// A file of a source.
#[derive(Debug)]
pub(super) struct TextFile<T = Option<Text>> {
    pub(super) digest: Digest,
    /// The size in bytes.
    pub(super) size: u64,
    /// What the file contains. `None`: nothing about it changed, so it was not read.
    pub(super) text: T,
}

/// What a file contains.
#[derive(Debug)]
pub(super) struct Text {
    /// `None`: the file changed while it was read.
    pub(super) stamp: Option<FileStamp>,
    /// The artifact and its digest.
    pub(super) artifact: Result<(Artifact, Result<Digest, UnsafeNumber>), SourceError>,
}

/// Reads the files of one source.
#[derive(Debug)]
pub(super) struct TextReader<'a> {
    pub(super) folder: &'a ProjectFolder,
    pub(super) kind: &'a Kind,
    pub(super) known: KnownDigests,
}

impl TextReader<'_> {
    /// Reads a file.
    pub(super) fn read(&self, file: &SourceFile) -> Result<TextFile<Text>, SourceError> {
        let bytes = self.folder.read_source(file)?;
        let artifact = self.folder.artifact(file, self.kind, &bytes);
        Ok(TextFile {
            digest: bytes.digest,
            size: bytes.bytes.len() as u64,
            text: Text {
                stamp: bytes.stamp,
                artifact: artifact.map(|artifact| {
                    let digest = artifact.digest();
                    (artifact, digest)
                }),
            },
        })
    }

    /// Reads a file unless nothing about it changed.
    fn read_if_changed(&self, file: &SourceFile) -> Result<TextFile, SourceError> {
        match self.known.unchanged(self.folder, &file.path, file.stamp) {
            Some((digest, stamp)) => Ok(TextFile {
                digest,
                size: stamp.size,
                text: None,
            }),
            None => {
                let TextFile { digest, size, text } = self.read(file)?;
                let text = Some(text);
                Ok(TextFile { digest, size, text })
            }
        }
    }

    /// Passes each file to `take`, in order. Meanwhile, other threads read the next ones.
    pub(super) fn for_each(
        &self,
        files: &[SourceFile],
        mut take: impl FnMut(&SourceFile, Result<TextFile, SourceError>) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let read = |chunk: &[SourceFile]| -> Vec<_> {
            let chunk = chunk.par_iter();
            chunk.map(|file| self.read_if_changed(file)).collect()
        };
        let mut chunks = Chunks(files);
        let mut take_all = |chunk: &[SourceFile], read: Vec<_>| {
            let mut pairs = chunk.iter().zip(read);
            pairs.try_for_each(|(file, read)| take(file, read))
        };
        let ahead = chunks.clone();
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(0);
            let spawned = thread::Builder::new().spawn_scoped(scope, move || {
                for chunk in ahead {
                    // The receiver is gone if a file could not be recorded.
                    if sender.send(read(chunk)).is_err() {
                        return;
                    }
                }
            });
            match spawned {
                Ok(_) => chunks
                    .zip(receiver)
                    .try_for_each(|(chunk, read)| take_all(chunk, read)),
                // This machine has no more threads.
                Err(_) => chunks.try_for_each(|chunk| take_all(chunk, read(chunk))),
            }
        })
    }
}

/// Divides files into chunks.
#[derive(Debug, Clone)]
struct Chunks<'f>(&'f [SourceFile]);

impl<'f> Iterator for Chunks<'f> {
    type Item = &'f [SourceFile];

    fn next(&mut self) -> Option<&'f [SourceFile]> {
        let mut bytes = 0_u64;
        let fits = self.0.iter().take(CHUNK_FILES).take_while(|file| {
            // A file of an unknown size may be large.
            let size = file.stamp.map_or(CHUNK_BYTES, |stamp| stamp.size);
            bytes = bytes.saturating_add(size);
            bytes <= CHUNK_BYTES
        });
        // A file that is larger than a chunk is read alone.
        let count = fits.count().max(1).min(self.0.len());
        let (chunk, rest) = self.0.split_at(count);
        self.0 = rest;
        (count > 0).then_some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synix_core::ids::Label;

    fn file(name: &str, size: Option<u64>) -> SourceFile {
        SourceFile {
            path: name.to_owned(),
            label: Label::parse(name).unwrap(),
            stamp: size.map(|size| FileStamp {
                size,
                modified_ns: 0,
                inode: 0,
            }),
        }
    }

    /// W18: memory does not grow with the number and the sizes of files.
    #[test]
    fn chunks_are_bounded_by_files_and_bytes() {
        let sizes = |sizes: &[Option<u64>]| -> Vec<usize> {
            let files: Vec<_> = sizes.iter().map(|size| file("a", *size)).collect();
            Chunks(&files).map(<[SourceFile]>::len).collect()
        };
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[Some(1); 130]), [64, 64, 2]);
        let half = Some(CHUNK_BYTES / 2);
        assert_eq!(
            sizes(&[half, half, Some(1), Some(u64::MAX), Some(1)]),
            [2, 1, 1, 1]
        );
        assert_eq!(sizes(&[None, None, Some(0)]), [1, 2]);
    }

    /// A scope of threads waits for the one that reads, so that must end, too.
    #[test]
    fn an_error_ends_the_reading() {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<_> = (0..200)
            .map(|number| file(&format!("f{number}"), Some(1)))
            .collect();
        for (number, found) in files.iter().enumerate() {
            let path = folder.path().join(&found.path);
            synix_disk::replace(&path, number.to_string().as_bytes()).unwrap();
        }
        let reader = TextReader {
            folder: &ProjectFolder::open(folder.path()).unwrap(),
            kind: &Kind::parse("source").unwrap(),
            known: KnownDigests::default(),
        };
        let mut taken = Vec::new();
        let take = |found: &SourceFile, read: Result<TextFile, SourceError>| {
            taken.push((found.path.clone(), read.unwrap().digest));
            if taken.len() == 100 {
                Err(BuildError::Interrupted)
            } else {
                Ok(())
            }
        };
        let ended = reader.for_each(&files, take);
        assert!(matches!(ended, Err(BuildError::Interrupted)), "{ended:?}");
        let expected = files.iter().enumerate().take(100);
        let expected = expected.map(|(number, found)| {
            (
                found.path.clone(),
                Digest::of(number.to_string().as_bytes()),
            )
        });
        assert!(taken.iter().cloned().eq(expected));
    }
}
