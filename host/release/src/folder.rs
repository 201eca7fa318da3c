//! A folder that outputs are written to, which keeps a record of each file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::ReleaseError;
use super::receipt::FileEntry;
use synix_core::crash;
use synix_core::digest::{Digest, Hasher};
use synix_disk::DiskError;

/// The size of the buffer of each file.
const BUFFER_BYTES: usize = 1 << 16;

/// A new folder. Each path is relative to it, and its names were checked or made by [`super::file_name`].
#[derive(Debug)]
pub struct OutputFolder {
    root: PathBuf,
    files: Vec<FileEntry>,
}

impl OutputFolder {
    /// Creates the folder, whose parent exists.
    pub fn create(root: &Path) -> Result<Self, ReleaseError> {
        fs::create_dir(root).map_err(failed("create", root))?;
        Ok(Self {
            root: root.to_owned(),
            files: Vec::new(),
        })
    }

    /// Returns the files that were written so far.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// Creates a folder inside, also if nothing will be in it.
    pub(super) fn create_folder(&self, path: &str) -> Result<(), ReleaseError> {
        let path = self.root.join(path);
        Ok(synix_disk::create_folder(&path)?)
    }

    /// Writes a file piece by piece.
    pub fn write<T>(
        &mut self,
        path: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<T, ReleaseError>,
    ) -> Result<T, ReleaseError> {
        let (full, file) = self.create_file(path)?;
        let mut out = Hashing {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            hasher: Hasher::default(),
            size: 0,
        };
        let filled = fill(&mut out)?;
        out.flush().map_err(failed("write", &full))?;
        let Hashing { hasher, size, .. } = out;
        self.record(path, size, hasher.finish());
        Ok(filled)
    }

    /// Writes a file that consists of these parts.
    pub fn put(&mut self, path: &str, parts: &[&[u8]]) -> Result<(), ReleaseError> {
        let (full, mut file) = self.create_file(path)?;
        let mut hasher = Hasher::default();
        let mut size = 0;
        for part in parts {
            file.write_all(part).map_err(failed("write", &full))?;
            hasher.update(part);
            size += part.len() as u64;
        }
        self.record(path, size, hasher.finish());
        Ok(())
    }

    /// Writes a file through a library that opens it by its path.
    pub fn write_at<T>(
        &mut self,
        path: &str,
        fill: impl FnOnce(&Path) -> Result<T, ReleaseError>,
    ) -> Result<T, ReleaseError> {
        let full = self.root.join(path);
        if let Some(folder) = full.parent() {
            synix_disk::create_folder(folder)?;
        }
        let filled = fill(&full)?;
        let digest = || {
            let mut file = File::open(&full)?;
            let size = file.metadata()?.len();
            Ok((size, Digest::of_reader(&mut file, BUFFER_BYTES)?))
        };
        let (size, digest) = digest().map_err(failed("read", &full))?;
        self.record(path, size, digest);
        Ok(filled)
    }

    /// Fails if the file exists: a label whose name is taken must not replace another artifact.
    fn create_file(&self, path: &str) -> Result<(PathBuf, File), ReleaseError> {
        crash::point();
        let full = self.root.join(path);
        let create = || File::options().write(true).create_new(true).open(&full);
        let created = match create() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(folder) = full.parent() {
                    synix_disk::create_folder(folder)?;
                }
                create()
            }
            created => created,
        };
        match created {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(ReleaseError::SameFile {
                    path: path.to_owned(),
                })
            }
            created => Ok((full.clone(), created.map_err(failed("create", &full))?)),
        }
    }

    fn record(&mut self, path: &str, size: u64, sha256: Digest) {
        crash::point();
        self.files.push(FileEntry {
            path: path.to_owned(),
            size,
            sha256,
        });
    }
}

/// A file whose size and digest are computed while it is written.
struct Hashing {
    file: BufWriter<File>,
    hasher: Hasher,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ReleaseError {
    move |source| {
        ReleaseError::Disk(DiskError {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
