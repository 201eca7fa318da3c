//! Objects in memory, for tests and examples.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use synix_core::clock::Timestamp;

use crate::objects::{Creation, ObjectInfo, Objects, ObjectsError, ObjectsErrorKind, Operation};

/// An object store in memory. Its clock advances by one second with each object.
#[derive(Debug, Default)]
pub struct MemoryObjects(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    objects: BTreeMap<String, (Vec<u8>, Timestamp)>,
    seconds: u64,
}

impl MemoryObjects {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Objects for MemoryObjects {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64) -> Operation<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let content = self.content();
            match content.objects.get(path) {
                Some((bytes, _)) if bytes.len() as u64 > max_bytes => Err(ObjectsError {
                    kind: ObjectsErrorKind::TooLarge,
                    operation: "read",
                    path: path.to_owned(),
                    advice: None,
                    source: None,
                }),
                found => Ok(found.map(|(bytes, _)| bytes.clone())),
            }
        })
    }

    fn create<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> Operation<'a, Creation> {
        Box::pin(async move {
            let mut content = self.content();
            if content.objects.contains_key(path) {
                return Ok(Creation::Exists);
            }
            content.seconds += 1;
            let modified = Timestamp(content.seconds * 1000);
            content.objects.insert(path.to_owned(), (bytes, modified));
            Ok(Creation::Created)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Operation<'a, Vec<ObjectInfo>> {
        Box::pin(async move {
            let content = self.content();
            let from = content.objects.range(prefix.to_owned()..);
            let matching = from.take_while(|(path, _)| path.starts_with(prefix));
            let infos = matching.map(|(path, (bytes, modified))| ObjectInfo {
                path: path.clone(),
                size: bytes.len() as u64,
                modified: *modified,
            });
            Ok(infos.collect())
        })
    }

    fn delete<'a>(&'a self, path: &'a str) -> Operation<'a, ()> {
        Box::pin(async move {
            self.content().objects.remove(path);
            Ok(())
        })
    }
}
