//! Recorded answers: one readable file, keyed by request key.
//!
//! A cassette needs no provider, key or network. It contains answers only, no
//! failures. The caller decides what a missing entry means;
//! [`Cassette::nearest`] helps to explain it. `format` defines the file format.

mod format;
mod nearest;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;
use synix_core::digest::{Digest, Encoder};
use synix_core::json::{self, UnsafeNumber};
use synix_core::request::{Answer, Request, RequestKey};
use synix_disk::{DiskError, FileLock, SymlinkPolicy};

/// Another process that records holds the lock for milliseconds.
const LOCK_TRIES: u32 = 1000;
const LOCK_WAIT: Duration = Duration::from_millis(10);

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The maximum size of a cassette.
const MAX_BYTES: u64 = 512 << 20;

/// So many answers are prepared at once for the digest of a cassette.
const DIGEST_CHUNK: usize = 1024;

/// Why a cassette cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the message of each variant explains its fields"
)]
pub enum CassetteError {
    /// The file does not exist.
    #[error("no cassette at {}", .path.display())]
    Missing { path: PathBuf },
    /// The file is not a cassette.
    #[error("cassette {} is broken at line {line}, column {column}", .path.display())]
    Broken {
        path: PathBuf,
        line: usize,
        column: usize,
        source: serde_json::Error,
    },
    /// An entry cannot be read.
    #[error("cassette {}: entry {key} cannot be read", .path.display())]
    Entry {
        path: PathBuf,
        key: RequestKey,
        source: serde_json::Error,
    },
    /// An entry is too long.
    #[error("cassette {}: entry {key} is too long: a request or an answer has at most {max_bytes} bytes", .path.display())]
    EntryTooLong {
        path: PathBuf,
        key: RequestKey,
        max_bytes: usize,
    },
    /// The request of an entry was edited, so its key does not match.
    #[error("cassette {}: the request under {key} has the key {found}; record it again", .path.display())]
    Edited {
        path: PathBuf,
        key: RequestKey,
        found: RequestKey,
    },
    /// The file has another schema version.
    #[error("cassette {} has schema {found}; this version of synix reads schema {supported}", .path.display())]
    Schema {
        path: PathBuf,
        found: u64,
        supported: u32,
    },
    /// Another process holds the lock.
    #[error("cassette {} is being written by another process", .path.display())]
    Locked { path: PathBuf },
    /// A request has no key, because a number in it has no canonical form.
    #[error(transparent)]
    Key(#[from] UnsafeNumber),
    /// A file could not be read or written.
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
    /// The keys that this process recorded; they replace entries of the file when saved.
    recorded: BTreeSet<RequestKey>,
}

impl Entry {
    /// Returns the text of the answer in the digest of a cassette.
    fn text(&self) -> String {
        let answer = serde_json::to_value(&self.answer).unwrap_or_default();
        // Numbers without a canonical form must still change the digest.
        json::canonical(&answer).unwrap_or_else(|_| answer.to_string())
    }
}

impl Cassette {
    /// Creates a cassette without entries, to record into.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the file at `path` and checks each key against its request.
    pub fn load(path: &Path) -> Result<Self, CassetteError> {
        Self::load_if_exists(path)?.ok_or_else(|| CassetteError::Missing {
            path: path.to_owned(),
        })
    }

    /// Reads the file at `path`; `None` if it does not exist.
    pub fn load_if_exists(path: &Path) -> Result<Option<Self>, CassetteError> {
        let bytes = synix_disk::read_limited_if_exists(path, MAX_BYTES, SymlinkPolicy::Refuse)?;
        bytes.map(|bytes| Self::read(path, &bytes)).transpose()
    }

    /// Parses the bytes of the file at `path` and checks each key against its request.
    ///
    /// Skips a byte order mark, which some editors write.
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

    /// Records an answer, and replaces an older one.
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

    /// Writes the recorded answers to `path`, and keeps those that other processes wrote since the
    /// cassette was loaded.
    ///
    /// Leaves a lock file beside it: `.NAME.lock`. Writes neither through a link.
    pub fn save(&mut self, path: &Path) -> Result<(), CassetteError> {
        if let Some(folder) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
            // The file is meant to be committed, so the folder has the usual permissions.
            synix_disk::create_folder(folder)?;
        }
        let _lock = lock(path)?;
        if let Some(saved) = Self::load_if_exists(path)? {
            let recorded = std::mem::replace(&mut self.entries, saved.entries);
            let ours = |(key, _): &(RequestKey, Entry)| self.recorded.contains(key);
            self.entries.extend(recorded.into_iter().filter(ours));
            self.note = saved.note;
        }
        let text = format::write(self.note.as_deref(), &self.entries);
        let current = synix_disk::read_limited_if_exists(path, MAX_BYTES, SymlinkPolicy::Refuse)?;
        if current.as_deref() != Some(text.as_bytes()) {
            synix_disk::replace(path, text.as_bytes())?;
        }
        Ok(())
    }

    /// Returns the recorded request that is most similar to `request`, and how they differ.
    pub fn nearest(&self, request: &Request) -> Option<(&RequestKey, &Request, String)> {
        let entries = self.entries.iter();
        let recorded = entries.map(|(key, entry)| (key, &entry.request));
        let (key, nearest) = nearest::find(request, recorded)?;
        Some((key, nearest, nearest::difference(nearest, request)))
    }

    /// Returns the digest of all keys and answers.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("synix.cassette.v1").list(self.entries.len());
        let entries: Vec<(&RequestKey, &Entry)> = self.entries.iter().collect();
        // All texts at once would take as much memory as the cassette.
        for chunk in entries.chunks(DIGEST_CHUNK) {
            let texts: Vec<String> = chunk.par_iter().map(|(_, entry)| entry.text()).collect();
            for ((key, _), text) in chunk.iter().zip(texts) {
                encoder = encoder.digest(key.0).text(&text);
            }
        }
        encoder.finish()
    }
}

fn lock(path: &Path) -> Result<FileLock, CassetteError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lock = path.with_file_name(format!(".{name}.lock"));
    for _ in 0..LOCK_TRIES {
        if let Some(lock) = FileLock::try_acquire(&lock)? {
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
