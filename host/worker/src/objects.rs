//! Reads objects of the store of contents, and keeps the last ones in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use synix_core::digest::Digest;
use synix_units::{Contents, ObjectRef};
use tokio::runtime::Handle;

use crate::error::WorkerError;

/// The maximum size of an object. The largest component has less.
const MAX_OBJECT_BYTES: u64 = 1 << 30;

/// The maximum size of all objects in memory. Units that go out again with one more answer need the same ones.
const MAX_KEPT_BYTES: usize = 128 << 20;

/// The objects that a worker reads.
#[derive(Debug)]
pub(crate) struct ObjectReader {
    contents: Contents,
    runtime: Handle,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    objects: HashMap<Digest, Arc<[u8]>>,
    /// The oldest comes first.
    order: VecDeque<Digest>,
    bytes: usize,
}

impl ObjectReader {
    pub(crate) fn new(contents: Contents, runtime: Handle) -> Self {
        Self {
            contents,
            runtime,
            kept: Mutex::default(),
        }
    }

    /// Returns an object, from memory if possible.
    pub(crate) fn get(&self, object: ObjectRef) -> Result<Arc<[u8]>, WorkerError> {
        let known = self.with_kept(|kept| kept.objects.get(&object.digest).cloned());
        let bytes = match known {
            Some(bytes) => bytes,
            None => {
                let bytes: Arc<[u8]> = self.read(object)?.into();
                self.with_kept(|kept| kept.add(object.digest, &bytes));
                bytes
            }
        };
        // The size in the chunk is what its sender counted with.
        if bytes.len() as u64 != object.size {
            return Err(WorkerError::ObjectSize(object));
        }
        Ok(bytes)
    }

    /// Reads an object that is not kept in memory.
    pub(crate) fn read(&self, object: ObjectRef) -> Result<Vec<u8>, WorkerError> {
        if object.size > MAX_OBJECT_BYTES {
            return Err(WorkerError::ObjectSize(object));
        }
        let fetched = self.contents.fetch(object.digest, object.size);
        Ok(self.runtime.block_on(fetched)?)
    }

    /// Writes an object.
    pub(crate) fn write(&self, object: ObjectRef, bytes: Vec<u8>) -> Result<(), WorkerError> {
        let written = self.contents.provide(object.digest, bytes);
        Ok(self.runtime.block_on(written)?)
    }

    fn with_kept<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn add(&mut self, digest: Digest, bytes: &Arc<[u8]>) {
        // Two chunks may read the same object at the same time.
        if bytes.len() > MAX_KEPT_BYTES || self.objects.contains_key(&digest) {
            return;
        }
        self.bytes += bytes.len();
        self.objects.insert(digest, Arc::clone(bytes));
        self.order.push_back(digest);
        while self.bytes > MAX_KEPT_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            let removed = self.objects.remove(&oldest);
            self.bytes -= removed.map_or(0, |bytes| bytes.len());
        }
    }
}
