//! The connection of a machine to the store: slow, and full of faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::random::SharedRandom;
use super::time::Time;
use crate::{
    Creation, MemoryObjects, ObjectInfo, Objects, ObjectsError, ObjectsErrorKind, Operation,
};

/// The store, and when each path was created in it.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) objects: MemoryObjects,
    pub(super) created: Mutex<BTreeMap<String, Duration>>,
}

#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) time: Time,
    pub(super) bucket: Arc<Bucket>,
    pub(super) random: SharedRandom,
    /// Until when there are faults.
    pub(super) faulty_until: Duration,
}

/// What happens to one call.
struct Passage {
    /// How long the call is on its way, and then its reply.
    there: Duration,
    back: Duration,
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The call never arrives.
    LostCall,
    /// It is carried out, and the reply is an error.
    LostReply,
    /// It is carried out, and there is never a reply.
    Silence,
}

impl Wire {
    fn passage(&self) -> Passage {
        let random = &self.random;
        let is_faulty = self.time.now() < self.faulty_until;
        let slow = |random: &SharedRandom| match random.below(100) {
            // The call outlives the patience of its client.
            0..3 if is_faulty => random.milliseconds(40_000),
            3..20 => random.milliseconds(1_500),
            _ => random.milliseconds(60),
        };
        let fault = match random.below(100) {
            0..3 if is_faulty => Fault::LostCall,
            3..6 if is_faulty => Fault::LostReply,
            6..8 if is_faulty => Fault::Silence,
            _ => Fault::None,
        };
        Passage {
            there: slow(random),
            back: slow(random),
            fault,
        }
    }

    /// Sends a call, which arrives even if its process is killed or its client gives up.
    async fn call<T: Send + 'static>(
        &self,
        path: &str,
        act: impl Future<Output = Result<T, ObjectsError>> + Send + 'static,
    ) -> Result<T, ObjectsError> {
        let passage = self.passage();
        let reply = Arc::new(Mutex::new(None));
        if passage.fault != Fault::LostCall {
            let (time, reply) = (self.time.clone(), Arc::clone(&reply));
            self.time.spawn(None, async move {
                time.sleep(passage.there).await;
                let result = act.await;
                *reply.lock().unwrap() = Some(result);
            });
        }
        // The reply is later than what it replies to.
        let travel = passage.there + passage.back + Duration::from_millis(1);
        self.time.sleep(travel).await;
        let arrived = reply.lock().unwrap().take();
        match (passage.fault, arrived) {
            (Fault::None, Some(result)) => result,
            (Fault::Silence, _) => std::future::pending().await,
            _ => Err(ObjectsError {
                kind: ObjectsErrorKind::Unavailable,
                operation: "reach",
                path: path.to_owned(),
                advice: None,
                source: None,
            }),
        }
    }
}

impl Objects for Wire {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64) -> Operation<'a, Option<Vec<u8>>> {
        let (bucket, owned) = (Arc::clone(&self.bucket), path.to_owned());
        Box::pin(self.call(
            path,
            async move { bucket.objects.get(&owned, max_bytes).await },
        ))
    }

    fn create<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> Operation<'a, Creation> {
        let (bucket, owned, time) = (Arc::clone(&self.bucket), path.to_owned(), self.time.clone());
        Box::pin(self.call(path, async move {
            let created = bucket.objects.create(&owned, bytes).await?;
            if created == Creation::Created {
                let mut times = bucket.created.lock().unwrap();
                times.entry(owned).or_insert_with(|| time.now());
            }
            Ok(created)
        }))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Operation<'a, Vec<ObjectInfo>> {
        let (bucket, owned) = (Arc::clone(&self.bucket), prefix.to_owned());
        Box::pin(self.call(prefix, async move { bucket.objects.list(&owned).await }))
    }

    fn delete<'a>(&'a self, path: &'a str) -> Operation<'a, ()> {
        let (bucket, owned) = (Arc::clone(&self.bucket), path.to_owned());
        Box::pin(self.call(path, async move { bucket.objects.delete(&owned).await }))
    }
}
