//! Tests the client with a store in memory and a clock that the test moves.

use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use serde_json::Map;
use synix_core::digest::Digest;
use synix_core::request::{Answer, Usage};

use super::*;
use crate::MemoryObjects;
use crate::objects::Creation;

const LEASE: Duration = Duration::from_secs(60);

/// A clock that only the test moves; nobody is woken.
#[derive(Debug, Default)]
struct Hands(Mutex<Duration>);

impl Hands {
    fn advance(&self, by: Duration) {
        *lock(&self.0) += by;
    }
}

impl Monotonic for Hands {
    fn now(&self) -> Duration {
        *lock(&self.0)
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(pending())
    }
}

/// Runs a future that never has to wait, because the store is in memory.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

struct Bench {
    store: Arc<MemoryObjects>,
    clock: Arc<Hands>,
}

impl Bench {
    fn new() -> Self {
        Self {
            store: Arc::default(),
            clock: Arc::default(),
        }
    }

    fn client(&self, label: &str) -> SharedAnswers {
        self.open(label, false)
    }

    fn open(&self, label: &str, read_only: bool) -> SharedAnswers {
        let settings = SharedSettings {
            name: "memory".to_owned(),
            namespace: "default".to_owned(),
            read_only,
            lease: LEASE,
            holder_label: label.to_owned(),
        };
        SharedAnswers::with_clock(self.store.clone(), settings, self.clock.clone()).unwrap()
    }

    fn paths(&self) -> Vec<String> {
        let infos = now(self.store.list("v1/")).unwrap();
        infos.into_iter().map(|info| info.path).collect()
    }

    fn claims(&self) -> usize {
        let is_claim = |path: &&String| path.contains("/claims/");
        self.paths().iter().filter(is_claim).count()
    }
}

fn key() -> RequestKey {
    RequestKey(Digest::of(b"q"))
}

fn answer(text: &str, ending: Ending) -> SharedAnswer {
    SharedAnswer {
        answer: Answer {
            text: text.to_owned(),
            ending,
            model: "m-1".to_owned(),
            usage: Usage::default(),
            details: Map::new(),
        },
        provider: "openai".to_owned(),
        model: "m".to_owned(),
        batch: None,
        time: Timestamp(1000),
    }
}

fn complete(text: &str) -> SharedAnswer {
    answer(text, Ending::Complete)
}

fn obtain(client: &SharedAnswers) -> Obtained {
    now(client.obtain(key(), false, ClaimMode::Call)).unwrap()
}

fn claim(client: &SharedAnswers) -> SharedClaim {
    let obtained = obtain(client);
    let Obtained::Claimed(claim) = obtained else {
        panic!("{obtained:?}")
    };
    claim
}

#[test]
fn a_published_answer_leaves_no_claim() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let held = claim(&a);
    let published = now(a.publish(key(), &complete("x"), Some(&held))).unwrap();
    assert_eq!(published, Published::Published);
    assert_eq!(bench.claims(), 0);
    assert!(matches!(obtain(&b), Obtained::Answered(found) if found == complete("x")));
}

#[test]
fn a_released_claim_is_granted_to_the_next_holder_at_once() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let held = claim(&a);
    assert!(matches!(obtain(&b), Obtained::Held(by) if by.holder.starts_with("a-")));
    now(a.release(&held)).unwrap();
    assert!(!a.still_holds(&held));
    assert_eq!(claim(&b).generation, 3);
}

#[test]
fn a_dead_holder_loses_its_claim_after_a_lease_and_not_before() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let held = claim(&a);
    assert!(matches!(obtain(&b), Obtained::Held(_)));
    bench.clock.advance(LEASE - Duration::from_secs(1));
    assert!(matches!(obtain(&b), Obtained::Held(_)));
    // A look is shared for a twelfth of the lease.
    bench.clock.advance(LEASE / 12);
    let taken = claim(&b);
    assert_eq!(taken.generation, 2);
    assert!(b.still_holds(&taken));
    assert!(!a.still_holds(&held));
}

#[test]
fn a_holder_after_a_gap_claims_again_under_another_id() {
    let bench = Bench::new();
    let a = bench.client("a");
    let first = claim(&a);
    bench.clock.advance(LEASE);
    assert!(!a.still_holds(&first));
    let second = claim(&a);
    assert_ne!(first.holder, second.holder);
    assert_eq!(second.generation, 2);
    assert!(a.still_holds(&second));
    assert!(!a.still_holds(&first));
}

#[test]
fn heartbeats_keep_a_claim_alive_and_leave_one_object() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let mut beats = Box::pin(a.keep_alive());
    let mut context = Context::from_waker(Waker::noop());
    assert!(beats.as_mut().poll(&mut context).is_pending());
    let held = claim(&a);
    assert!(matches!(obtain(&b), Obtained::Held(_)));
    for _ in 0..9 {
        bench.clock.advance(LEASE / 3);
        // The sleep never ends, so each round is a loop of its own.
        beats = Box::pin(a.keep_alive());
        assert!(beats.as_mut().poll(&mut context).is_pending());
        assert!(matches!(obtain(&b), Obtained::Held(_)));
    }
    assert!(a.still_holds(&held));
    let is_own = |path: &&String| path.contains("/holders/a-");
    assert_eq!(bench.paths().iter().filter(is_own).count(), 1);
    now(a.leave()).unwrap();
    assert_eq!(bench.paths().iter().filter(is_own).count(), 0);
    assert!(!a.still_holds(&held));
}

#[test]
fn a_batch_claim_needs_no_live_holder_and_can_be_confirmed_by_a_later_command() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let Obtained::Claimed(held) = now(a.obtain(key(), false, ClaimMode::Batch)).unwrap() else {
        panic!()
    };
    let text = serde_json::to_string(&held).unwrap();
    drop(a);
    bench.clock.advance(LEASE * 10);
    assert!(matches!(obtain(&b), Obtained::Held(by) if by.mode == ClaimMode::Batch));
    let later = bench.client("a");
    let held: SharedClaim = serde_json::from_str(&text).unwrap();
    assert!(!later.still_holds(&held));
    assert!(now(later.confirm(&held)).unwrap());
    assert!(later.still_holds(&held));
    now(later.publish(key(), &complete("x"), Some(&held))).unwrap();
    assert!(matches!(obtain(&b), Obtained::Answered(_)));
}

#[test]
fn a_batch_claim_is_over_after_48_hours_of_the_store() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let batch = || now(a.obtain(key(), false, ClaimMode::Batch)).unwrap();
    assert!(matches!(batch(), Obtained::Claimed(_)));
    assert!(matches!(obtain(&b), Obtained::Held(_)));
    // Each object advances the clock of the store by a second.
    for number in 0..48 * 3600 {
        let path = format!("v1/default/holders/x/{number:08}");
        now(bench.store.create(&path, Vec::new())).unwrap();
    }
    now(b.0.list("v1/default/holders/x/")).unwrap();
    assert_eq!(claim(&b).generation, 2);
}

#[test]
fn a_read_only_client_writes_nothing() {
    let bench = Bench::new();
    let reader = bench.open("r", true);
    assert!(matches!(obtain(&reader), Obtained::NotClaimed));
    let published = now(reader.publish(key(), &complete("x"), None)).unwrap();
    assert_eq!(published, Published::NotPublished);
    now(reader.gc()).unwrap();
    now(reader.leave()).unwrap();
    let mut beats = Box::pin(reader.keep_alive());
    let mut context = Context::from_waker(Waker::noop());
    assert!(beats.as_mut().poll(&mut context).is_pending());
    assert!(bench.paths().is_empty(), "{:?}", bench.paths());
    let writer = bench.client("w");
    now(writer.publish(key(), &complete("x"), None)).unwrap();
    assert!(matches!(obtain(&reader), Obtained::Answered(_)));
}

#[test]
fn a_damaged_answer_is_reported_and_neither_used_nor_overwritten() {
    let bench = Bench::new();
    let a = bench.client("a");
    let path = a.0.paths.answer(key(), Ending::Complete);
    now(bench.store.create(&path, b"{}".to_vec())).unwrap();
    let held = claim(&a);
    let published = now(a.publish(key(), &complete("x"), Some(&held))).unwrap();
    assert_eq!(published, Published::Damaged);
    assert_eq!(now(bench.store.get(&path, 10)).unwrap().unwrap(), b"{}");
    assert_eq!(a.take_damaged()[0].path, path);
    assert!(a.take_damaged().is_empty());
    // The claim is given up, and still decides who may send.
    assert_eq!(claim(&bench.client("b")).generation, 3);
}

#[test]
fn a_second_answer_is_counted_as_a_double_and_the_first_one_stays() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let held = claim(&a);
    now(b.publish(key(), &complete("first"), None)).unwrap();
    let published = now(a.publish(key(), &complete("second"), Some(&held))).unwrap();
    assert_eq!(published, Published::Double);
    // The same answer again, after a lost reply, is none.
    let again = now(b.publish(key(), &complete("first"), None)).unwrap();
    assert_eq!(again, Published::Published);
    let found = now(b.look_up(key(), false)).unwrap().unwrap();
    assert_eq!(found, complete("first"));
    assert_eq!(bench.claims(), 0);
}

#[test]
fn a_truncated_answer_counts_only_for_who_accepts_it() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let held = claim(&a);
    let truncated = answer("x", Ending::Truncated);
    now(a.publish(key(), &truncated, Some(&held))).unwrap();
    let accepting = now(b.obtain(key(), true, ClaimMode::Call)).unwrap();
    assert!(matches!(accepting, Obtained::Answered(found) if found == truncated));
    assert_eq!(claim(&b).generation, 3);
}

#[test]
fn a_key_that_the_client_holds_is_granted_again() {
    let bench = Bench::new();
    let a = bench.client("a");
    assert_eq!(claim(&a), claim(&a));
}

#[test]
fn status_lists_the_claims_without_an_answer() {
    let bench = Bench::new();
    let a = bench.client("a");
    let held = claim(&a);
    let status = now(a.status());
    assert_eq!(status.unreachable, None);
    assert_eq!(status.leases.len(), 1);
    assert_eq!(status.leases[0].key, key());
    assert_eq!(status.leases[0].held_by.holder, held.holder);
    assert!(status.leases[0].last_heartbeat.is_some());
    now(a.release(&held)).unwrap();
    assert!(now(a.status()).leases.is_empty());
}

#[test]
fn gc_deletes_claims_of_answered_requests_and_retains_the_others() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    claim(&a);
    // The answer of another machine; the claim of `a` stays behind.
    now(b.publish(key(), &complete("x"), None)).unwrap();
    let other = RequestKey(Digest::of(b"other"));
    now(b.obtain(other, false, ClaimMode::Call)).unwrap();
    let report = now(b.gc()).unwrap();
    assert_eq!((report.claims, report.retained), (1, 1));
    assert_eq!(bench.claims(), 1);
}

/// A claim whose document is of no known form is not taken over before any batch would be over.
#[test]
fn an_unreadable_claim_is_held_by_nobody_known() {
    let bench = Bench::new();
    let a = bench.client("a");
    let path = a.0.paths.claim(key(), 1);
    let created = now(bench.store.create(&path, b"?".to_vec())).unwrap();
    assert_eq!(created, Creation::Created);
    assert!(matches!(obtain(&a), Obtained::Held(by) if by.holder == "unknown"));
    assert_eq!(a.take_damaged().len(), 1);
}
