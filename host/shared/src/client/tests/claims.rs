//! Claims, from the first to the last holder.

use super::*;
use crate::documents::ClaimDocument;
use crate::objects::Creation;

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

fn batch(client: &SharedAnswers) -> Obtained {
    now(client.obtain(&intent(client), false, ClaimMode::Batch)).unwrap()
}

/// Lets the clock of the store go forward. Each object advances it by a second.
fn advance_store(bench: &Bench, client: &SharedAnswers, seconds: u64) {
    for _ in 0..seconds {
        let path = format!("v1/default/holders/x/{:08}", bench.unused_number());
        now(bench.store.create(&path, Vec::new())).unwrap();
    }
    now(client.0.list("v1/default/holders/x/")).unwrap();
}

#[test]
fn a_batch_claim_needs_no_live_holder_and_a_later_command_publishes_for_it() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let Obtained::Claimed(held) = batch(&a) else {
        panic!("nobody else has claimed it");
    };
    bench.clock.advance(LEASE * 10);
    assert!(matches!(obtain(&b), Obtained::Held(by) if by.mode == ClaimMode::Batch));
    let later = bench.client("a");
    let found = now(later.find_claim(&intent(&a))).unwrap().unwrap();
    assert_eq!(found, held);
    assert!(!later.still_holds(&found));
    now(later.publish(key(), &complete("x"), Some(&found))).unwrap();
    assert!(matches!(obtain(&b), Obtained::Answered(_)));
}

/// Creates what `claim` would be given up with.
fn give_up_late(bench: &Bench, client: &SharedAnswers, claim: &SharedClaim) -> Creation {
    let path = client.0.paths.claim(claim.key, claim.generation + 1);
    let released = ClaimDocument::of(claim, true).to_bytes();
    now(bench.store.create(&path, released)).unwrap()
}

/// A call of the earlier process, or of one that sweeps behind it, may still be under way.
#[test]
fn no_late_call_gives_up_the_claim_of_a_command_that_took_over() {
    for mode in [ClaimMode::Call, ClaimMode::Batch] {
        let bench = Bench::new();
        let (a, b) = (bench.client("a"), bench.client("b"));
        let first = ClaimIntent::new(key()).unwrap();
        let Obtained::Claimed(earlier) = now(a.obtain(&first, false, mode)).unwrap() else {
            panic!("nobody else has claimed it");
        };
        let second = ClaimIntent::new(key()).unwrap().after(first.clone());
        let later = bench.client("a");
        let Obtained::Claimed(held) = now(later.obtain(&second, false, mode)).unwrap() else {
            panic!("nobody sends for the earlier claim");
        };
        assert_eq!((earlier.generation, held.generation), (1, 2));
        assert_eq!(give_up_late(&bench, &a, &earlier), Creation::Exists);
        // One that still has the first intent does not know the second.
        now(a.release_intent(&first)).unwrap();
        assert!(later.still_holds(&held));
        assert!(matches!(obtain(&b), Obtained::Held(_)));
        now(later.release_intent(&second)).unwrap();
        assert!(matches!(obtain(&b), Obtained::Claimed(_)));
    }
}

/// The contract is that no process uses the intent of another one. If one does, it still sends for no claim of the other.
#[test]
fn the_claim_of_another_process_with_the_same_intent_is_replaced() {
    let bench = Bench::new();
    let (a, later) = (bench.client("a"), bench.client("a"));
    let (Obtained::Claimed(earlier), Obtained::Claimed(held)) = (batch(&a), batch(&later)) else {
        panic!("the intent is the same");
    };
    assert_eq!(held.generation, 2);
    assert_eq!(give_up_late(&bench, &a, &earlier), Creation::Exists);
}

/// A create call of the earlier process arrives last.
#[test]
fn a_batch_claim_of_an_earlier_intent_holds_up_nobody() {
    let bench = Bench::new();
    let a = bench.client("a");
    let first = ClaimIntent::new(key()).unwrap();
    now(a.obtain(&first, false, ClaimMode::Batch)).unwrap();
    let second = ClaimIntent::new(key()).unwrap().after(first);
    let later = bench.client("a");
    let found = now(later.find_claim(&second)).unwrap();
    assert_eq!(found.map(|claim| claim.generation), Some(1));
    let obtained = now(later.obtain(&second, false, ClaimMode::Call)).unwrap();
    assert!(matches!(obtained, Obtained::Claimed(_)), "{obtained:?}");
}

/// Its batch could be in flight when the claim is over for others.
#[test]
fn a_batch_claim_of_a_day_is_claimed_again_before_it_is_used() {
    let bench = Bench::new();
    let a = bench.client("a");
    let Obtained::Claimed(first) = batch(&a) else {
        panic!("nobody else has claimed it");
    };
    advance_store(&bench, &a, 24 * 3600);
    let Obtained::Claimed(second) = batch(&a) else {
        panic!("its intent is the same");
    };
    assert_eq!((first.generation, second.generation), (1, 2));
}

#[test]
fn a_batch_claim_is_over_after_48_hours_of_the_store() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    assert!(matches!(batch(&a), Obtained::Claimed(_)));
    assert!(matches!(obtain(&b), Obtained::Held(_)));
    advance_store(&bench, &b, 48 * 3600);
    assert_eq!(claim(&b).generation, 2);
}

/// A command is killed between its create call and anything else.
#[test]
fn the_claim_of_an_intent_is_given_up_without_its_client() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let recorded = intent(&a);
    batch(&a);
    drop(a);
    assert!(matches!(obtain(&b), Obtained::Held(_)));
    now(bench.client("a").release_intent(&recorded)).unwrap();
    assert_eq!(claim(&b).generation, 3);
}

/// The create call of the killed command may still be on its way to the store.
#[test]
fn no_late_call_creates_the_claim_of_an_intent_that_was_given_up() {
    let bench = Bench::new();
    let a = bench.client("a");
    now(a.release_intent(&intent(&a))).unwrap();
    let late = now(bench
        .store
        .create(&a.0.paths.claim(key(), 1), b"late".to_vec()))
    .unwrap();
    assert_eq!(late, Creation::Exists);
    assert_eq!(claim(&bench.client("b")).generation, 2);
}

#[test]
fn giving_up_an_intent_touches_neither_the_claim_of_another_holder_nor_an_answered_request() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let held = claim(&b);
    assert!(!now(a.release_intent(&intent(&a))).unwrap());
    assert!(matches!(obtain(&a), Obtained::Held(_)));
    now(b.publish(key(), &complete("x"), Some(&held))).unwrap();
    assert!(now(a.release_intent(&intent(&a))).unwrap());
    assert_eq!(bench.claims(), 0);
}

/// A command was killed when it took over the claim of a dead holder. Its batch claim would hold up everybody for 48 hours.
#[test]
fn a_claim_that_arrives_behind_that_of_another_holder_is_given_up_later() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let held = claim(&b);
    let sweeper = bench.client("a");
    assert!(!now(sweeper.release_intent(&intent(&a))).unwrap());
    let late = SharedClaim {
        generation: held.generation + 1,
        holder: a.0.holder_id(),
        nonce: intent(&a).nonce,
        mode: ClaimMode::Batch,
        ..held
    };
    let path = a.0.paths.claim(key(), late.generation);
    let document = ClaimDocument::of(&late, false).to_bytes();
    now(bench.store.create(&path, document)).unwrap();
    assert!(matches!(obtain(&bench.client("c")), Obtained::Held(_)));
    assert!(now(sweeper.release_intent(&intent(&a))).unwrap());
    assert_eq!(claim(&bench.client("c")).generation, 4);
}

/// The reply to the create call was lost, and the call was carried out after the next look.
#[test]
fn a_claim_that_arrives_late_is_granted_to_its_own_client() {
    let bench = Bench::new();
    let (a, b) = (bench.client("a"), bench.client("b"));
    let held = claim(&a);
    let document = now(bench.store.get(&a.0.paths.claim(key(), 1), 4096)).unwrap();
    now(b.0.delete(&a.0.paths.claim(key(), 1))).unwrap();
    a.0.own_claims().granted.clear();
    let created = now(bench
        .store
        .create(&a.0.paths.claim(key(), 1), document.unwrap()));
    assert_eq!(created.unwrap(), Creation::Created);
    assert_eq!(claim(&a), held);
}

#[test]
fn a_key_that_the_client_holds_is_granted_again() {
    let bench = Bench::new();
    let a = bench.client("a");
    assert_eq!(claim(&a), claim(&a));
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

/// The call that gives the claim up may arrive at any time.
#[test]
fn a_claim_that_was_perhaps_given_up_is_not_used_again() {
    let bench = Bench::new();
    let a = bench.client("a");
    let first = claim(&a);
    a.0.own_claims().given_up.insert(key(), first.generation);
    assert_eq!(claim(&a).generation, 2);
}
