//! Answers, and what is left when they are there.

use super::*;

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
    let accepting = now(b.obtain(&intent(&b), true, ClaimMode::Call)).unwrap();
    assert!(matches!(accepting, Obtained::Answered(found) if found == truncated));
    assert_eq!(claim(&b).generation, 3);
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
    let other = ClaimIntent::new(RequestKey(Digest::of(b"other"))).unwrap();
    now(b.obtain(&other, false, ClaimMode::Call)).unwrap();
    let report = now(b.gc()).unwrap();
    assert_eq!((report.claims, report.retained), (1, 1));
    assert_eq!(bench.claims(), 1);
}
