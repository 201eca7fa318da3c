//! Tests of shared answers, with a store in memory.

mod old_claims;
mod takeover;

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use synix_scripted_provider::{Reply, Rule};
use synix_shared::{
    ClaimIntent, ClaimMode, Creation, MemoryObjects, ObjectInfo, Objects, ObjectsError,
    ObjectsErrorKind, Obtained, Operation, SharedSettings,
};

use super::*;
use crate::build::event::Event;

/// A store that a test can make unavailable, and that remembers what was created.
#[derive(Debug, Default)]
struct TestObjects {
    memory: MemoryObjects,
    is_away: AtomicBool,
    created: Mutex<Vec<(String, String)>>,
}

impl TestObjects {
    fn check(&self, operation: &'static str, path: &str) -> Result<(), ObjectsError> {
        if !self.is_away.load(Ordering::SeqCst) {
            return Ok(());
        }
        Err(ObjectsError {
            kind: ObjectsErrorKind::Unavailable,
            operation,
            path: path.to_owned(),
            advice: None,
            source: None,
        })
    }
}

impl Objects for TestObjects {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64) -> Operation<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            self.check("read", path)?;
            self.memory.get(path, max_bytes).await
        })
    }

    fn create<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> Operation<'a, Creation> {
        Box::pin(async move {
            self.check("create", path)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let created = self.memory.create(path, bytes).await?;
            if created == Creation::Created {
                self.created.lock().unwrap().push((path.to_owned(), text));
            }
            Ok(created)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Operation<'a, Vec<ObjectInfo>> {
        Box::pin(async move {
            self.check("list", prefix)?;
            self.memory.list(prefix).await
        })
    }

    fn delete<'a>(&'a self, path: &'a str) -> Operation<'a, ()> {
        Box::pin(async move {
            self.check("delete", path)?;
            self.memory.delete(path).await
        })
    }
}

fn settings(read_only: bool) -> SharedSettings {
    SharedSettings {
        name: "memory://".to_owned(),
        namespace: "default".to_owned(),
        read_only,
        lease: Duration::from_secs(60),
        holder_label: "test".to_owned(),
    }
}

fn client(objects: &Arc<TestObjects>, read_only: bool) -> SharedAnswers {
    SharedAnswers::new(Arc::<TestObjects>::clone(objects), settings(read_only)).unwrap()
}

/// Builds everything with these shared answers, and returns how many requests settled.
async fn build(
    fixture: &Fixture,
    batch: BatchChoice,
    shared: SharedAnswers,
    count: usize,
) -> usize {
    let mut answerer = fixture.sharing_answerer(batch, ONE, Some(shared), &|_| {});
    answerer.enqueue(stored(fixture.record(count))).unwrap();
    let settled = drive(&mut answerer).await.unwrap();
    answerer.finish().await.unwrap();
    settled
}

fn unsettled(fixture: &Fixture) -> usize {
    fixture.store.shared_requests("memory://").unwrap().len()
}

#[tokio::test]
async fn what_one_build_paid_for_another_gets_for_nothing() {
    let objects = Arc::default();
    let (first, second) = (Fixture::new(), Fixture::new());
    let settled = build(&first, BatchChoice::Never, client(&objects, false), 3).await;
    assert_eq!(
        (settled, first.executed().len(), unsettled(&first)),
        (3, 3, 0)
    );
    let settled = build(&second, BatchChoice::Never, client(&objects, false), 3).await;
    assert_eq!((settled, second.executed().len()), (3, 0));
    assert_eq!(second.store.shared_answers_of(second.build).unwrap(), 3);
    let key = request(1).key().unwrap();
    let answers = [&first, &second].map(|one| one.store.answer(key, false).unwrap());
    assert!(answers[0].is_some() && answers[0] == answers[1]);
}

/// They wait for each other's claims, and both send their own.
#[tokio::test]
async fn two_builds_at_once_pay_once_for_each_request() {
    let objects = Arc::default();
    let (first, second) = (Fixture::new(), Fixture::new());
    let both = tokio::join!(
        build(&first, BatchChoice::Never, client(&objects, false), 9),
        build(&second, BatchChoice::Never, client(&objects, false), 9)
    );
    assert_eq!(both, (9, 9));
    assert_eq!(first.executed().len() + second.executed().len(), 9);
}

/// The store is no reason for a build to fail, and nothing that it paid for is lost.
#[tokio::test]
async fn a_store_that_is_away_gets_the_answers_later() {
    let objects = Arc::<TestObjects>::default();
    objects.is_away.store(true, Ordering::SeqCst);
    let fixture = Fixture::new();
    let events = RefCell::new(Vec::new());
    let observer = |event: &Event| events.borrow_mut().push(event.clone());
    let shared = client(&objects, false);
    {
        let mut answerer =
            fixture.sharing_answerer(BatchChoice::Never, ONE, Some(shared), &observer);
        answerer.enqueue(stored(fixture.record(2))).unwrap();
        assert_eq!(drive(&mut answerer).await.unwrap(), 2);
        answerer.finish().await.unwrap();
    }
    let is_warning = |event: &&Event| matches!(event, Event::Warning { .. });
    assert_eq!(events.borrow().iter().filter(is_warning).count(), 1);
    assert_eq!(unsettled(&fixture), 2);
    assert_eq!(fixture.store.unpublished_answers("memory://").unwrap(), 2);

    objects.is_away.store(false, Ordering::SeqCst);
    build(&fixture, BatchChoice::Never, client(&objects, false), 0).await;
    assert_eq!(unsettled(&fixture), 0);
    let second = Fixture::new();
    build(&second, BatchChoice::Never, client(&objects, false), 2).await;
    assert_eq!(second.executed().len(), 0);
}

/// Others must not wait for a lease after a request that failed.
#[tokio::test]
async fn the_claim_of_a_failed_request_is_released_at_once() {
    let objects = Arc::default();
    let fixture = Fixture::new();
    fixture
        .server
        .script(Script::new().rule(Rule::on("word").reply(Reply::Refusal("No.".to_owned()))));
    build(&fixture, BatchChoice::Never, client(&objects, false), 1).await;
    assert_eq!(unsettled(&fixture), 0);
    let key = request(1).key().unwrap();
    let other = client(&objects, false);
    let intent = ClaimIntent::new(key).unwrap();
    let obtained = other.obtain(&intent, false, ClaimMode::Call).await.unwrap();
    assert!(matches!(obtained, Obtained::Claimed(_)), "{obtained:?}");
}

/// A killed build leaves its claims on record.
#[tokio::test]
async fn the_claims_of_a_killed_build_are_released_by_the_next() {
    let objects = Arc::default();
    let fixture = Fixture::new();
    let (pending, id) = fixture.record(1).remove(0);
    let key = pending.key;
    let killed = client(&objects, false);
    let intent = ClaimIntent::new(key).unwrap();
    let claim = serde_json::to_string(&intent).unwrap();
    let kept = fixture
        .store
        .write(|tx| tx.keep_shared_request(id, fixture.build, "memory://", Some(&claim)));
    kept.unwrap();
    let obtained = killed.obtain(&intent, false, ClaimMode::Batch).await;
    assert!(matches!(obtained.unwrap(), Obtained::Claimed(_)));
    build(&fixture, BatchChoice::Never, client(&objects, false), 0).await;
    assert_eq!(unsettled(&fixture), 0);
    let other = client(&objects, false);
    let intent = ClaimIntent::new(key).unwrap();
    let obtained = other.obtain(&intent, false, ClaimMode::Call).await.unwrap();
    assert!(matches!(obtained, Obtained::Claimed(_)), "{obtained:?}");
}

#[tokio::test]
async fn a_read_only_build_writes_nothing() {
    let objects = Arc::default();
    let (first, second) = (Fixture::new(), Fixture::new());
    build(&first, BatchChoice::Never, client(&objects, false), 1).await;
    let before = objects.list("").await.unwrap();
    build(&second, BatchChoice::Never, client(&objects, true), 3).await;
    assert_eq!((second.executed().len(), unsettled(&second)), (2, 0));
    assert_eq!(objects.list("").await.unwrap(), before);
}

/// The claims of batches outlive the command, whose batch goes on.
#[tokio::test]
async fn batches_share_their_answers() {
    let objects = Arc::default();
    let (first, second) = (Fixture::new(), Fixture::new());
    let both = tokio::join!(
        build(&first, BatchChoice::Always, client(&objects, false), 4),
        build(&second, BatchChoice::Always, client(&objects, false), 4)
    );
    assert_eq!(both, (4, 4));
    assert_eq!(first.executed().len() + second.executed().len(), 4);
    assert_eq!((unsettled(&first), unsettled(&second)), (0, 0));
}
