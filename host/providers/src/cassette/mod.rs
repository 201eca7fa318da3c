//! Recorded answers: one readable file, keyed by request key.
//!
//! A cassette needs no provider, key or socket. It holds answers only, never
//! failures. What a miss means is for whoever replays; [`Cassette::nearest`]
//! helps to say it. The file's form is in `format`.

mod format;
mod nearest;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use synix_core::digest::{Digest, Encoder};
use synix_core::json::{self, UnsafeNumber};
use synix_core::request::{Answer, Request, RequestKey};
use synix_disk::{DiskError, FileLock, Links};

/// Another recorder holds the file for milliseconds.
const LOCK_TRIES: u32 = 1000;
const LOCK_WAIT: Duration = Duration::from_millis(10);

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The largest cassette, in bytes.
const MOST_BYTES: u64 = 512 << 20;

/// Why a cassette cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    /// There is no such file.
    #[error("no cassette at {}", .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is not a cassette.
    #[error("cassette {} is broken at line {line}, column {column}", .path.display())]
    Broken {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the reader expected there.
        source: serde_json::Error,
    },
    /// An entry cannot be read.
    #[error("cassette {}: entry {key} cannot be read", .path.display())]
    Entry {
        /// Which file.
        path: PathBuf,
        /// Under which key it stands.
        key: RequestKey,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An entry is longer than any request or answer.
    #[error("cassette {}: entry {key} is too long: a request or an answer has {most} bytes at most", .path.display())]
    EntryTooLong {
        /// Which file.
        path: PathBuf,
        /// Under which key it stands.
        key: RequestKey,
        /// The limit.
        most: usize,
    },
    /// An entry's request was edited and belongs under another key.
    #[error("cassette {}: the request under {key} has the key {found}; record it again", .path.display())]
    Edited {
        /// Which file.
        path: PathBuf,
        /// Under which key it stands.
        key: RequestKey,
        /// The key that it has.
        found: RequestKey,
    },
    /// The file has a form that this synix does not know.
    #[error("cassette {} has schema {found}, this synix reads {supported}", .path.display())]
    Schema {
        /// Which file.
        path: PathBuf,
        /// The form that it has.
        found: u64,
        /// The form that synix reads.
        supported: u32,
    },
    /// Another process keeps the file locked.
    #[error("cassette {} is being written by another process", .path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
    },
    /// A request has no key.
    #[error(transparent)]
    Key(#[from] UnsafeNumber),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// A recorded request with its answer.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    request: Request,
    answer: Answer,
}

/// Recorded answers by request key.
#[derive(Debug, Clone, Default)]
pub struct Cassette {
    note: Option<String>,
    entries: BTreeMap<RequestKey, Entry>,
    /// What this process recorded; wins over the file when saved.
    recorded: BTreeSet<RequestKey>,
}

impl Cassette {
    /// Returns a cassette without entries, to record into.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the file at `path` and checks each key against its request.
    pub fn load(path: &Path) -> Result<Self, CassetteError> {
        Self::load_if_there(path)?.ok_or_else(|| CassetteError::Missing {
            path: path.to_owned(),
        })
    }

    /// Reads the file at `path`, or returns `None` where there is none.
    pub fn load_if_there(path: &Path) -> Result<Option<Self>, CassetteError> {
        let bytes = synix_disk::read_small(path, MOST_BYTES, Links::Refuse)?;
        bytes.map(|bytes| Self::read(path, &bytes)).transpose()
    }

    /// Reads what the file at `path` holds and checks each key against its request.
    ///
    /// A byte order mark is left out: some editors begin each file with one.
    pub fn read(path: &Path, bytes: &[u8]) -> Result<Self, CassetteError> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let (note, entries) = format::read(path, bytes)?;
        Ok(Self {
            note: Some(note),
            entries,
            recorded: BTreeSet::new(),
        })
    }

    /// Returns how many answers there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there is no answer.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the recorded answer to the request of this key.
    pub fn get(&self, key: &RequestKey) -> Option<&Answer> {
        self.entries.get(key).map(|entry| &entry.answer)
    }

    /// Records an answer, in place of an older one.
    pub fn insert(
        &mut self,
        request: Request,
        answer: Answer,
    ) -> Result<RequestKey, CassetteError> {
        let key = request.key()?;
        self.entries.insert(key, Entry { request, answer });
        self.recorded.insert(key);
        Ok(key)
    }

    /// Writes what was recorded to `path`, beside what others wrote there since it was loaded.
    ///
    /// A lock file stays beside it: `.NAME.lock`. Neither is written through a link.
    pub fn save(&mut self, path: &Path) -> Result<(), CassetteError> {
        if let Some(folder) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
            // To be committed, so the folder is as open as any.
            synix_disk::create_folder(folder)?;
        }
        let _lock = lock(path)?;
        if let Some(there) = Self::load_if_there(path)? {
            let recorded = std::mem::replace(&mut self.entries, there.entries);
            let ours = |(key, _): &(RequestKey, Entry)| self.recorded.contains(key);
            self.entries.extend(recorded.into_iter().filter(ours));
            self.note = there.note;
        }
        let text = format::write(self.note.as_deref(), &self.entries);
        let there = synix_disk::read_small(path, MOST_BYTES, Links::Refuse)?;
        if there.as_deref() != Some(text.as_bytes()) {
            synix_disk::replace(path, text.as_bytes())?;
        }
        Ok(())
    }

    /// Returns the recorded request that is most like `request`, and how they differ.
    pub fn nearest(&self, request: &Request) -> Option<(&RequestKey, &Request, String)> {
        let entries = self.entries.iter();
        let recorded = entries.map(|(key, entry)| (key, &entry.request));
        let (key, nearest) = nearest::find(request, recorded)?;
        Some((key, nearest, nearest::difference(nearest, request)))
    }

    /// Returns the digest of all keys and answers.
    pub fn digest(&self) -> Digest {
        let encoder = Encoder::new("synix.cassette.v1").list(self.entries.len());
        let entries = self.entries.iter();
        let encoder = entries.fold(encoder, |encoder, (key, entry)| {
            let answer = serde_json::to_value(&entry.answer).unwrap_or_default();
            // Numbers beyond canonical JSON are still told apart.
            let text = json::canonical(&answer).unwrap_or_else(|_| answer.to_string());
            encoder.digest(key.0).text(&text)
        });
        encoder.finish()
    }
}

fn lock(path: &Path) -> Result<FileLock, CassetteError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lock = path.with_file_name(format!(".{name}.lock"));
    for _ in 0..LOCK_TRIES {
        if let Some(lock) = FileLock::try_take(&lock)? {
            return Ok(lock);
        }
        thread::sleep(LOCK_WAIT);
    }
    Err(CassetteError::Locked {
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests;
