//! The raw file of a run, read in parts.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::SyncSender;

use super::Item;
use synix_core::artifact::Artifact;
use synix_core::digest::{Digest, Encoder};
use synix_sandbox::{Reading, ReceiverGone, Skipped};

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileRunError {
    /// It cannot be opened.
    #[error("cannot open {}", .path.display())]
    Open {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("{} is not a file; pass the files of a folder one by one", .path.display())]
    NotFile {
        /// The path.
        path: PathBuf,
    },
}

/// An open file.
#[derive(Debug)]
pub struct InputFile {
    /// The name that the reader sees.
    pub name: String,
    file: File,
    size: u64,
}

impl InputFile {
    /// Opens the file at `path`. The reader sees `given`, the path as the author wrote it, if that leads nowhere else.
    pub fn open(path: &Path, given: &Path) -> Result<Self, FileRunError> {
        let unreadable = |source| FileRunError::Open {
            path: given.to_owned(),
            source,
        };
        // To open a pipe would wait for a writer.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(FileRunError::NotFile {
                path: given.to_owned(),
            });
        }
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        Ok(Self {
            name: project_name(given),
            file,
            size,
        })
    }

    /// Returns what the random numbers of a language's runtime depend on. In a build this is the digest of the file,
    /// which would cost a read of the whole file here.
    pub(super) fn seed(&self) -> Digest {
        Encoder::new("synix.plugin-run.v1")
            .text(&self.name)
            .number(self.size)
            .finish()
    }
}

/// Returns a path as a pipeline would see it, or the name of the file if the path leads out of its folder.
pub fn project_name(given: &Path) -> String {
    let mut parts = Vec::new();
    for part in given.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy()),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => parts.clear(),
        }
    }
    let is_below = given
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    match parts.last() {
        Some(name) if !is_below => name.clone().into_owned(),
        _ => parts.join("/"),
    }
}

/// The file of a run, which sends what it is handed.
pub(super) struct InputReading {
    input: InputFile,
    items: SyncSender<Item>,
}

impl InputReading {
    pub(super) const fn new(input: InputFile, items: SyncSender<Item>) -> Self {
        Self { input, items }
    }
}

impl Reading for InputReading {
    fn name(&self) -> String {
        self.input.name.clone()
    }

    fn size(&self) -> u64 {
        self.input.size
    }

    fn read(&mut self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        // The size is the one that the reader saw, also if another program appends to the file.
        let left = self.input.size.saturating_sub(offset);
        let length = usize::try_from(left).map_or(length, |left| left.min(length));
        self.input.file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::with_capacity(length);
        (&mut self.input.file)
            .take(length as u64)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn emit(&mut self, place: &str, artifact: Artifact) -> Result<(), ReceiverGone> {
        let place = place.to_owned();
        let item = Item::Artifact { place, artifact };
        self.items.send(item).map_err(|_| ReceiverGone)
    }

    fn skip(&mut self, skipped: Skipped) -> Result<(), ReceiverGone> {
        let item = Item::Skipped(skipped);
        self.items.send(item).map_err(|_| ReceiverGone)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_reader_sees_the_path_below_the_current_folder() {
        for (given, name) in [
            ("notes/a.txt", "notes/a.txt"),
            ("./notes/./a.txt", "notes/a.txt"),
            ("../a.txt", "a.txt"),
            ("/home/ann/a.txt", "a.txt"),
            ("notes/../../b/a.txt", "a.txt"),
        ] {
            assert_eq!(project_name(Path::new(given)), name);
        }
    }

    #[test]
    fn a_part_is_shorter_only_at_the_end_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        synix_disk::replace(&path, b"0123456789").unwrap();
        let input = InputFile::open(&path, Path::new("a.txt")).unwrap();
        let (items, _) = mpsc::sync_channel(1);
        let mut reading = InputReading::new(input, items);
        assert_eq!(reading.size(), 10);
        assert_eq!(reading.read(2, 3).unwrap(), b"234");
        assert_eq!(reading.read(8, 5).unwrap(), b"89");
        assert_eq!(reading.read(10, 5).unwrap(), b"");
        assert_eq!(reading.read(u64::from(u32::MAX) * 8, 5).unwrap(), b"");
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = InputFile::open(folder.path(), Path::new("notes")).unwrap_err();
        assert!(error.to_string().starts_with("notes is not a file"));
        let absent = folder.path().join("absent");
        assert!(matches!(
            InputFile::open(&absent, Path::new("absent")),
            Err(FileRunError::Open { .. })
        ));
    }
}
