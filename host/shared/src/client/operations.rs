//! Single operations of the store, with their deadline and documents.

use std::time::Duration;

use synix_core::crash;
use synix_core::request::{Ending, RequestKey};

use super::{DamagedObject, Inner, endings, lock};
use crate::documents::{ClaimDocument, Invalid, MAX_ANSWER_BYTES, MAX_CLAIM_BYTES, SharedAnswer};
use crate::error::SharedError;
use crate::objects::{Creation, ObjectInfo, ObjectsError, ObjectsErrorKind, Operation};

/// The longest time for an operation, if the lease is not short.
const DEADLINE: Duration = Duration::from_secs(8);

/// An object as it was read.
pub(super) enum Read<T> {
    Absent,
    Damaged,
    Found(T),
}

impl Inner {
    pub(super) async fn read_answer(
        &self,
        key: RequestKey,
        accept_truncated: bool,
    ) -> Result<Option<SharedAnswer>, SharedError> {
        for ending in endings(accept_truncated) {
            if let Read::Found(answer) = self.read_answer_object(key, *ending).await? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    pub(super) async fn read_answer_object(
        &self,
        key: RequestKey,
        ending: Ending,
    ) -> Result<Read<SharedAnswer>, SharedError> {
        let path = self.paths.answer(key, ending);
        let parse = |bytes: &[u8]| {
            let read = SharedAnswer::from_bytes(key, bytes)?;
            if read.answer.ending == ending {
                Ok(read)
            } else {
                Err(Invalid::new("its ending does not fit its path"))
            }
        };
        self.read(&path, MAX_ANSWER_BYTES, parse).await
    }

    pub(super) async fn read_claim(
        &self,
        key: RequestKey,
        generation: u64,
    ) -> Result<Read<ClaimDocument>, SharedError> {
        let path = self.paths.claim(key, generation);
        let parse = |bytes: &[u8]| ClaimDocument::from_bytes(key, bytes);
        self.read(&path, MAX_CLAIM_BYTES, parse).await
    }

    async fn read<T>(
        &self,
        path: &str,
        max_bytes: u64,
        parse: impl FnOnce(&[u8]) -> Result<T, Invalid>,
    ) -> Result<Read<T>, SharedError> {
        let read = self
            .within("read", path, self.objects.get(path, max_bytes))
            .await;
        let parsed = match read {
            Ok(None) => return Ok(Read::Absent),
            Ok(Some(bytes)) => parse(&bytes),
            Err(error) if error.kind == ObjectsErrorKind::TooLarge => Err(Invalid::new(error)),
            Err(error) => return Err(self.failed(error)),
        };
        Ok(match parsed {
            Ok(value) => Read::Found(value),
            Err(invalid) => {
                self.report_damaged(path, &invalid);
                Read::Damaged
            }
        })
    }

    fn report_damaged(&self, path: &str, invalid: &Invalid) {
        let found = DamagedObject {
            path: path.to_owned(),
            reason: invalid.to_string(),
        };
        let mut damaged = lock(&self.damaged);
        if !damaged.contains(&found) {
            damaged.push(found);
        }
    }

    pub(super) async fn create(&self, path: &str, bytes: Vec<u8>) -> Result<Creation, SharedError> {
        crash::point();
        let created = self
            .within("create", path, self.objects.create(path, bytes))
            .await;
        crash::point();
        created.map_err(|error| self.failed(error))
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, SharedError> {
        let listed = self.within("list", prefix, self.objects.list(prefix)).await;
        let infos = listed.map_err(|error| self.failed(error))?;
        if let Some(newest) = infos.iter().map(|info| info.modified).max() {
            self.saw_store_time(newest);
        }
        Ok(infos)
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), SharedError> {
        let deleted = self.within("delete", path, self.objects.delete(path)).await;
        deleted.map_err(|error| self.failed(error))
    }

    /// Bounds an operation: what is stuck in a connection must not outlive the lease.
    async fn within<T>(
        &self,
        operation: &'static str,
        path: &str,
        running: Operation<'_, T>,
    ) -> Result<T, ObjectsError> {
        let deadline = DEADLINE.min(self.settings.lease / 4);
        tokio::select! {
            biased;
            outcome = running => outcome,
            () = self.clock.sleep(deadline) => Err(ObjectsError {
                kind: ObjectsErrorKind::Unavailable,
                operation,
                path: path.to_owned(),
                advice: None,
                source: Some(format!("no reply within {deadline:?}").into()),
            }),
        }
    }

    pub(super) fn failed(&self, source: ObjectsError) -> SharedError {
        SharedError::Store {
            name: self.settings.name.clone(),
            source,
        }
    }
}
