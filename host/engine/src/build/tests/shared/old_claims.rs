//! Claims on rows of batches that were granted long before their batch is created.

use std::pin::Pin;
use std::sync::atomic::AtomicU64;

use synix_shared::Monotonic;

use super::takeover::send;
use super::*;
use crate::claim_guard::ClaimGuard;

/// A clock that a test turns.
#[derive(Debug)]
struct TestClock(Arc<AtomicU64>);

impl Monotonic for TestClock {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

fn batches<'f>(fixture: &'f Fixture, guard: &ClaimGuard) -> Batches<'f> {
    let batches = Batches::new(BatchContext {
        store: &fixture.store,
        build: fixture.build,
        providers: &fixture.providers,
        settings: batch_settings(None),
        clock: &fixture.clock,
        observer: &|_| {},
    });
    batches.with_guard(Some(guard.clone()))
}

/// Each attempt may be billed. Another process that takes the rows of a batch does not add any.
#[tokio::test]
async fn a_freed_row_is_claimed_again_only_while_it_has_attempts_left() {
    let fixture = Fixture::new();
    let guard = ClaimGuard::new(client(&Arc::default(), false));
    let mut batches = batches(&fixture, &guard);
    let [own, foreign]: [_; 2] = stored(fixture.record(2)).try_into().unwrap();
    let key = own.key;
    send(&fixture, foreign.request, open_build(&fixture.store));
    let failed = own.request;
    for request in [own, foreign] {
        batches.queue(request);
    }
    batches.submit(&|_| true).unwrap();
    let state = fixture.folder.path().join("state.sqlite3");
    let rows = rusqlite::Connection::open(state).unwrap().execute(
        "UPDATE attempt SET state = 2 WHERE request = ?1",
        [failed.0],
    );
    assert_eq!(rows, Ok(1));
    batches.check_foreign_requests().unwrap();
    assert!(batches.take_unclaimed().is_empty());
    let settled = batches.take_settled();
    assert!(
        matches!(&settled[..], [(settled, Err(_))] if *settled == key),
        "{settled:?}"
    );
}

/// A batch may take 24 hours, and others take over a claim after 48.
#[tokio::test]
async fn a_row_whose_claim_is_a_day_old_is_claimed_again_before_its_batch_is_recorded() {
    let objects = Arc::<TestObjects>::default();
    let seconds = Arc::new(AtomicU64::new(0));
    let clock = Arc::new(TestClock(Arc::clone(&seconds)));
    let shared =
        SharedAnswers::with_clock(Arc::<TestObjects>::clone(&objects), settings(false), clock);
    let shared = shared.unwrap();
    let guard = ClaimGuard::new(shared.clone());
    let fixture = Fixture::new();
    let mut batches = batches(&fixture, &guard);
    for (pending, hours) in stored(fixture.record(2)).into_iter().zip([25, 23]) {
        let intent = ClaimIntent::new(pending.key).unwrap();
        let obtained = shared.obtain(&intent, false, ClaimMode::Batch).await;
        let Ok(Obtained::Claimed(claim)) = obtained else {
            panic!("{obtained:?}")
        };
        guard.insert(claim);
        seconds.fetch_add(hours * 3600, Ordering::SeqCst);
        let (key, request) = (pending.key, pending.request);
        batches.queue(pending);
        batches.submit(&|_| true).unwrap();
        let is_old = hours > 24;
        let unclaimed: Vec<_> = batches.take_unclaimed();
        let unclaimed: Vec<_> = unclaimed.into_iter().map(|one| one.key).collect();
        assert_eq!(unclaimed, if is_old { vec![key] } else { vec![] });
        assert_eq!(batches.is_waiting(), !is_old);
        assert_eq!(fixture.store.in_flight(request).unwrap().is_some(), !is_old);
    }
}
