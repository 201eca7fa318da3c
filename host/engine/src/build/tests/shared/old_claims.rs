//! Claims on rows of batches that were granted long before their batch is created.

use std::pin::Pin;
use std::sync::atomic::AtomicU64;

use synix_shared::Monotonic;

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
    let mut batches = Batches::new(BatchContext {
        store: &fixture.store,
        build: fixture.build,
        providers: &fixture.providers,
        settings: batch_settings(None),
        clock: &fixture.clock,
        observer: &|_| {},
    })
    .with_guard(Some(guard.clone()));
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
