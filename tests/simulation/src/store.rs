//! A simulated object store: latencies, a rate for each kind of request, and replies that are lost.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use synix_core::clock::Timestamp;
use synix_shared::{Creation, ObjectInfo, Objects, ObjectsError, ObjectsErrorKind, Operation};
use tokio::time::Instant;

use crate::queue::Queue;
use crate::random::Random;

/// How a store behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreModel {
    /// The median time of a read.
    pub(crate) read: Duration,
    /// The median time of a create, delete or list call.
    pub(crate) write: Duration,
    /// How many reads are served in a second.
    pub(crate) reads_per_second: f64,
    /// How many create, delete and list calls are served in a second.
    pub(crate) writes_per_second: f64,
    /// The probability that a call is carried out and its reply is lost.
    pub(crate) lost_replies: f64,
}

/// A store in memory, in virtual time.
#[derive(Debug)]
pub(crate) struct SimulatedStore {
    model: StoreModel,
    pub(crate) reads: Queue,
    pub(crate) writes: Queue,
    started: Instant,
    content: Mutex<Content>,
}

#[derive(Debug)]
struct Content {
    objects: BTreeMap<String, (Vec<u8>, Timestamp)>,
    random: Random,
}

impl SimulatedStore {
    pub(crate) fn new(model: StoreModel, random: Random) -> Self {
        Self {
            model,
            reads: Queue::new(Some(model.reads_per_second)),
            writes: Queue::new(Some(model.writes_per_second)),
            started: Instant::now(),
            content: Mutex::new(Content {
                objects: BTreeMap::new(),
                random,
            }),
        }
    }

    /// Returns the paths of all objects that begin with `prefix`.
    pub(crate) fn paths(&self, prefix: &str) -> Vec<String> {
        let content = self.content();
        let from = content.objects.range(prefix.to_owned()..);
        from.map(|(path, _)| path.clone())
            .take_while(|path| path.starts_with(prefix))
            .collect()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        let elapsed = self.started.elapsed().as_millis();
        Timestamp(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// Waits for a call to arrive, carries it out, and waits for its reply.
    async fn call<T>(
        &self,
        queue: &Queue,
        median: Duration,
        name: (&'static str, &str),
        carry_out: impl FnOnce(&mut Content) -> T,
    ) -> Result<T, ObjectsError> {
        let (there, back, is_lost) = {
            let random = &mut self.content().random;
            let way = |random: &mut Random| random.log_normal(median / 2, 0.5);
            let lost = self.model.lost_replies;
            (way(random), way(random), random.happens(lost))
        };
        tokio::time::sleep(there).await;
        queue.turn().await;
        let outcome = carry_out(&mut self.content());
        tokio::time::sleep(back).await;
        if is_lost {
            return Err(ObjectsError {
                kind: ObjectsErrorKind::Unavailable,
                operation: name.0,
                path: name.1.to_owned(),
                advice: None,
                source: Some("the reply was lost".into()),
            });
        }
        Ok(outcome)
    }
}

impl Objects for SimulatedStore {
    fn get<'a>(&'a self, path: &'a str, _: u64) -> Operation<'a, Option<Vec<u8>>> {
        let found =
            |content: &mut Content| content.objects.get(path).map(|(bytes, _)| bytes.clone());
        Box::pin(self.call(&self.reads, self.model.read, ("read", path), found))
    }

    fn create<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> Operation<'a, Creation> {
        let create = move |content: &mut Content| {
            if content.objects.contains_key(path) {
                return Creation::Exists;
            }
            content.objects.insert(path.to_owned(), (bytes, self.now()));
            Creation::Created
        };
        Box::pin(self.call(&self.writes, self.model.write, ("create", path), create))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Operation<'a, Vec<ObjectInfo>> {
        let list = move |content: &mut Content| {
            let from = content.objects.range(prefix.to_owned()..);
            let matching = from.take_while(|(path, _)| path.starts_with(prefix));
            let infos = matching.map(|(path, (bytes, modified))| ObjectInfo {
                path: path.clone(),
                size: bytes.len() as u64,
                modified: *modified,
            });
            infos.collect()
        };
        Box::pin(self.call(&self.writes, self.model.write, ("list", prefix), list))
    }

    fn delete<'a>(&'a self, path: &'a str) -> Operation<'a, ()> {
        let delete = |content: &mut Content| {
            content.objects.remove(path);
        };
        Box::pin(self.call(&self.writes, self.model.write, ("delete", path), delete))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: StoreModel = StoreModel {
        read: Duration::from_millis(15),
        write: Duration::from_millis(30),
        reads_per_second: 1000.0,
        writes_per_second: 100.0,
        lost_replies: 0.0,
    };

    #[tokio::test(start_paused = true)]
    async fn an_object_is_created_once_and_found() {
        let store = SimulatedStore::new(MODEL, Random::new(1, 0));
        assert_eq!(
            store.create("a/b", vec![1]).await.unwrap(),
            Creation::Created
        );
        assert_eq!(
            store.create("a/b", vec![2]).await.unwrap(),
            Creation::Exists
        );
        assert_eq!(store.get("a/b", 10).await.unwrap(), Some(vec![1]));
        assert_eq!(store.list("a/").await.unwrap().len(), 1);
        store.delete("a/b").await.unwrap();
        assert_eq!(store.get("a/b", 10).await.unwrap(), None);
        assert_eq!((store.reads.count(), store.writes.count()), (2, 4));
    }

    /// A lost reply is no lost call: the protocol is to find that out.
    #[tokio::test(start_paused = true)]
    async fn a_call_whose_reply_is_lost_is_carried_out() {
        let model = StoreModel {
            lost_replies: 1.0,
            ..MODEL
        };
        let store = SimulatedStore::new(model, Random::new(1, 0));
        assert!(store.create("a", vec![1]).await.is_err());
        assert_eq!(store.paths(""), ["a"]);
    }
}
