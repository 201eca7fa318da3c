//! The operations of [`Objects`] on a store of the crate `object_store`.

use std::sync::Arc;

use futures_util::StreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use synix_core::clock::Timestamp;
use synix_shared::{Creation, ObjectInfo, Objects, ObjectsError, ObjectsErrorKind, Operation};

use crate::error::{Failed, Secrets};

/// A folder whose last file is deleted at the same moment may vanish under a new file.
const ATTEMPTS: usize = 4;

/// A store of the crate `object_store`.
#[derive(Debug)]
pub(crate) struct Store {
    inner: Arc<dyn ObjectStore>,
    secrets: Secrets,
}

impl Store {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, secrets: Secrets) -> Self {
        Self { inner, secrets }
    }

    fn failed(&self, operation: &'static str, path: &str, error: &Error) -> ObjectsError {
        let failed = Failed { operation, path };
        failed.to_error(error, &self.secrets)
    }

    async fn read(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, ObjectsError> {
        let failed = |error: &Error| self.failed("read", path, error);
        let found = match self.inner.get(&Path::from(path)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let too_large = || ObjectsError {
            kind: ObjectsErrorKind::TooLarge,
            operation: "read",
            path: path.to_owned(),
            advice: None,
            source: None,
        };
        if found.meta.size > max_bytes {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let mut parts = found.into_stream();
        while let Some(part) = parts.next().await {
            let part = part.map_err(|error| failed(&error))?;
            // The size in the header may be wrong.
            if (bytes.len() + part.len()) as u64 > max_bytes {
                return Err(too_large());
            }
            bytes.extend_from_slice(&part);
        }
        Ok(Some(bytes))
    }

    async fn create_object(&self, path: &str, bytes: Vec<u8>) -> Result<Creation, ObjectsError> {
        let payload = PutPayload::from(bytes);
        let location = Path::from(path);
        let mut attempt = 1;
        loop {
            let options = PutOptions::from(PutMode::Create);
            let put = self.inner.put_opts(&location, payload.clone(), options);
            match put.await {
                Ok(_) => return Ok(Creation::Created),
                Err(Error::AlreadyExists { .. }) => return Ok(Creation::Exists),
                Err(Error::NotFound { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(self.failed("create", path, &error)),
            }
        }
    }

    async fn list_objects(&self, prefix: &str) -> Result<Vec<ObjectInfo>, ObjectsError> {
        let failed = |error: &Error| self.failed("list", prefix, error);
        let mut infos = Vec::new();
        let mut listed = self.inner.list(Some(&Path::from(prefix)));
        while let Some(meta) = listed.next().await {
            let meta = match meta {
                Ok(meta) => meta,
                // A file that was deleted while its folder was read.
                Err(Error::NotFound { .. }) if self.is_folder() => continue,
                Err(error) => return Err(failed(&error)),
            };
            infos.push(ObjectInfo {
                path: meta.location.to_string(),
                size: meta.size,
                modified: to_timestamp(meta.last_modified.timestamp_millis()),
            });
        }
        Ok(infos)
    }

    fn is_folder(&self) -> bool {
        self.inner.to_string().starts_with("LocalFileSystem")
    }
}

fn to_timestamp(milliseconds: i64) -> Timestamp {
    Timestamp(u64::try_from(milliseconds).unwrap_or(0))
}

impl Objects for Store {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64) -> Operation<'a, Option<Vec<u8>>> {
        Box::pin(self.read(path, max_bytes))
    }

    fn create<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> Operation<'a, Creation> {
        Box::pin(self.create_object(path, bytes))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Operation<'a, Vec<ObjectInfo>> {
        Box::pin(self.list_objects(prefix))
    }

    fn delete<'a>(&'a self, path: &'a str) -> Operation<'a, ()> {
        Box::pin(async move {
            match self.inner.delete(&Path::from(path)).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.failed("delete", path, &error)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use tempfile::TempDir;

    use super::*;

    fn folder() -> (TempDir, Arc<dyn Objects>) {
        let folder = tempfile::tempdir().unwrap();
        let url = url::Url::from_directory_path(folder.path()).unwrap();
        let store = crate::open(url.as_str(), &|_| None).unwrap();
        (folder, store.objects)
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn exactly_one_of_many_threads_creates_an_object() {
        let (_folder, store) = folder();
        let barrier = Barrier::new(8);
        let created: Vec<Creation> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8_u8)
                .map(|number| {
                    let (store, barrier) = (&store, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        wait(store.create("v1/claims/k/00000001", vec![number])).unwrap()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let is_created = |creation: &&Creation| **creation == Creation::Created;
        assert_eq!(created.iter().filter(is_created).count(), 1);
    }

    #[test]
    fn an_object_is_read_listed_and_deleted() {
        let (_folder, store) = folder();
        wait(async {
            assert_eq!(store.get("v1/a/b", 10).await.unwrap(), None);
            assert!(store.list("v1/a/").await.unwrap().is_empty());
            store.create("v1/a/b", b"12345".to_vec()).await.unwrap();
            store.create("v1/ab/c", b"1".to_vec()).await.unwrap();
            let infos = store.list("v1/a/").await.unwrap();
            assert_eq!(infos.len(), 1);
            assert_eq!((infos[0].path.as_str(), infos[0].size), ("v1/a/b", 5));
            assert!(infos[0].modified > Timestamp(0));
            assert_eq!(store.get("v1/a/b", 5).await.unwrap().unwrap(), b"12345");
            store.delete("v1/a/b").await.unwrap();
            store.delete("v1/a/b").await.unwrap();
            assert_eq!(store.get("v1/a/b", 10).await.unwrap(), None);
        });
    }

    #[test]
    fn an_object_that_is_too_large_is_not_read() {
        let (_folder, store) = folder();
        wait(async {
            store.create("v1/a", vec![0; 11]).await.unwrap();
            let error = store.get("v1/a", 10).await.unwrap_err();
            assert_eq!(error.kind, ObjectsErrorKind::TooLarge);
            assert!(!error.is_transient());
        });
    }

    /// The last file of a folder is deleted while others are created in it.
    #[test]
    fn creating_beside_deleting_never_fails() {
        let (_folder, store) = folder();
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let store = &store;
                scope.spawn(move || {
                    for number in 0..200 {
                        let path = format!("v1/holders/h/{thread}-{number}");
                        wait(store.create(&path, Vec::new())).unwrap();
                        wait(store.list("v1/holders/")).unwrap();
                        wait(store.delete(&path)).unwrap();
                    }
                });
            }
        });
    }
}
