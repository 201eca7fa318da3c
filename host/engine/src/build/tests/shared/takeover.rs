//! Requests that an earlier command of the project left behind.

use synix_core::request::RequestKey;
use synix_shared::SharedClaim;

use super::*;

impl TestObjects {
    /// Returns the claims on a request that were ever created, without those that were released, as their nonces by
    /// generation.
    fn claims(&self, key: RequestKey) -> Vec<(u64, String)> {
        let prefix = format!("v1/default/claims/{key}/");
        let created = self.created.lock().unwrap();
        let claims = created.iter().filter_map(|(path, text)| {
            let generation = path.strip_prefix(&prefix)?.parse().unwrap();
            let claim: serde_json::Value = serde_json::from_str(text).unwrap();
            let nonce = claim["nonce"].as_str().unwrap().to_owned();
            (claim["released"] == false).then_some((generation, nonce))
        });
        claims.collect()
    }
}

/// Records the intent of a build, in the place of an earlier one.
fn record_intent(fixture: &Fixture, id: RequestId, build: BuildId, intent: &ClaimIntent) {
    let text = serde_json::to_string(intent).unwrap();
    let recorded = fixture.store.write(|tx| {
        tx.keep_shared_request(id, build, "memory://", Some(&text))?;
        tx.adopt_shared_request(id, build, Some(&text))
    });
    recorded.unwrap();
}

/// Claims a request in a batch with the client of another command.
async fn claim_in_batch(objects: &Arc<TestObjects>, intent: &ClaimIntent) -> SharedClaim {
    let other = client(objects, false);
    let obtained = other.obtain(intent, false, ClaimMode::Batch).await.unwrap();
    let Obtained::Claimed(claim) = obtained else {
        panic!("{obtained:?}")
    };
    claim
}

/// Calls of the earlier command, which is dead or has just ended, may still give up its claim.
#[tokio::test]
async fn a_request_of_an_earlier_command_is_claimed_with_another_nonce() {
    for batch in [BatchChoice::Never, BatchChoice::Always] {
        let objects = Arc::default();
        let fixture = Fixture::new();
        let shared = client(&objects, false);
        let mut answerer = fixture.sharing_answerer(batch, ONE, Some(shared), &|_| {});
        // It ends after this build has looked for what earlier ones left.
        let (pending, id) = fixture.record(1).remove(0);
        let earlier = ClaimIntent::new(pending.key).unwrap();
        record_intent(&fixture, id, open_build(&fixture.store), &earlier);
        claim_in_batch(&objects, &earlier).await;

        answerer.enqueue(stored(fixture.record(1))).unwrap();
        assert_eq!(drive(&mut answerer).await.unwrap(), 1);
        answerer.finish().await.unwrap();
        let claims = objects.claims(pending.key);
        let generations: Vec<u64> = claims.iter().map(|(generation, _)| *generation).collect();
        assert_eq!(generations, [1, 2], "{claims:?}");
        assert_eq!(claims[0].1, earlier.nonce);
        assert_ne!(claims[1].1, earlier.nonce);
        assert_eq!(unsettled(&fixture), 0);
    }
}

/// A call of the earlier command may arrive behind the claim of another machine, where a batch would hold up everybody.
#[tokio::test]
async fn an_intent_stays_on_record_while_another_machine_holds_the_request() {
    let objects = Arc::default();
    let fixture = Fixture::new();
    let (pending, id) = fixture.record(1).remove(0);
    let earlier = ClaimIntent::new(pending.key).unwrap();
    record_intent(&fixture, id, open_build(&fixture.store), &earlier);
    let machine = ClaimIntent::new(pending.key).unwrap();
    let held = claim_in_batch(&objects, &machine).await;
    build(&fixture, BatchChoice::Never, client(&objects, false), 0).await;
    let row = fixture.store.shared_request(id).unwrap().unwrap();
    assert_eq!(row.claim, Some(serde_json::to_string(&earlier).unwrap()));

    client(&objects, false).release(&held).await.unwrap();
    claim_in_batch(&objects, &earlier).await;
    build(&fixture, BatchChoice::Never, client(&objects, false), 0).await;
    assert_eq!(unsettled(&fixture), 0);
    claim_in_batch(&objects, &machine).await;
}

/// Two commands may settle what a third one left, and one of them may have gone on from there.
#[tokio::test]
async fn whoever_settles_an_intent_keeps_the_record_of_a_later_one() {
    let objects = Arc::default();
    let fixture = Fixture::new();
    let (pending, id) = fixture.record(1).remove(0);
    let dead = open_build(&fixture.store);
    let earlier = ClaimIntent::new(pending.key).unwrap();
    record_intent(&fixture, id, dead, &earlier);
    let shared = client(&objects, false);
    // It has read the record, and settles it.
    let mut answerer = fixture.sharing_answerer(BatchChoice::Never, ONE, Some(shared), &|_| {});

    let other = open_build(&fixture.store);
    let _lock = fixture.store.lock_build(other).unwrap().unwrap();
    let later = ClaimIntent::new(pending.key).unwrap().after(earlier);
    record_intent(&fixture, id, other, &later);
    let claim = claim_in_batch(&objects, &later).await;

    answerer.finish().await.unwrap();
    let row = fixture.store.shared_request(id).unwrap().unwrap();
    assert_eq!(row.build, other);
    assert_eq!(row.claim, Some(serde_json::to_string(&later).unwrap()));
    let found = client(&objects, false).find_claim(&later).await.unwrap();
    assert_eq!(found, Some(claim));
}

/// Another command claims and sends the request while this one gives up an intent that both have found.
#[tokio::test]
async fn a_request_that_another_command_sends_is_not_claimed_again() {
    let objects = Arc::<TestObjects>::default();
    let fixture = Fixture::new();
    let (pending, id) = fixture.record(1).remove(0);
    let dead = open_build(&fixture.store);
    let earlier = ClaimIntent::new(pending.key).unwrap();
    record_intent(&fixture, id, dead, &earlier);
    let shared = client(&objects, false);
    let claims = RefCell::new(Vec::new());
    let observer = |event: &Event| {
        if matches!(event, Event::Unclear { .. }) {
            claims.borrow_mut().push(objects.claims(pending.key).len());
        }
    };
    let mut answerer = fixture.sharing_answerer(BatchChoice::Never, ONE, Some(shared), &observer);
    // It waits until the earlier intent is settled.
    answerer.enqueue(stored(fixture.record(1))).unwrap();

    let other = open_build(&fixture.store);
    let later = ClaimIntent::new(pending.key).unwrap().after(earlier);
    record_intent(&fixture, id, other, &later);
    send(&fixture, id, other);

    // The other command has ended without an answer, which is noticed later.
    assert_eq!(drive(&mut answerer).await.unwrap(), 1);
    answerer.finish().await.unwrap();
    assert_eq!(*claims.borrow(), [0]);
    assert_eq!(fixture.executed().len(), 1);
}

/// Records that a build has a request in flight in a sync call.
pub(super) fn send(fixture: &Fixture, id: RequestId, build: BuildId) {
    let origin = SendContext {
        build,
        layer: LAYER,
        submission: None,
        now: Timestamp(1),
    };
    let terms = AnswerPolicy {
        accept_truncated: false,
        retry: &RetrySelection::default(),
    };
    let claim = fixture.store.write(|tx| tx.claim(id, origin, terms));
    assert!(matches!(claim, Ok(Claim::Granted(_))), "{claim:?}");
}

/// Another machine may have taken its claim over.
#[tokio::test]
async fn a_request_that_a_dead_command_had_in_flight_is_claimed_before_it_is_sent() {
    for batch in [BatchChoice::Never, BatchChoice::Always] {
        let objects = Arc::default();
        let fixture = Fixture::new();
        let (pending, id) = fixture.record(1).remove(0);
        let shared = client(&objects, false);
        let mut answerer = fixture.sharing_answerer(batch, ONE, Some(shared), &|_| {});
        send(&fixture, id, open_build(&fixture.store));
        answerer.enqueue(stored(fixture.record(1))).unwrap();
        assert_eq!(drive(&mut answerer).await.unwrap(), 1);
        answerer.finish().await.unwrap();
        assert_eq!(fixture.executed().len(), 1);
        assert_eq!(objects.claims(pending.key).len(), 1);
    }
}
