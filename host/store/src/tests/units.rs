//! Units, what they asked, and from where their answers came.

use super::*;

/// C1: a live build never uses what was made from a cassette, nor one cassette what another made.
#[test]
fn a_replayed_unit_is_found_in_its_own_realm_only() {
    let bench = Bench::new();
    let unit = bench.unit("a", replay("tape"), true);
    let found = |realm| bench.store.finished_unit(Digest::of(b"a"), realm).unwrap();
    assert_eq!(found(Realm::Live), None);
    assert_eq!(found(replay("other")), None);
    assert_eq!(found(replay("tape")), Some((unit, None)));
}

/// C1: a recorded answer does not stand for one that a provider gave.
#[test]
fn a_replayed_answer_is_no_live_answer() {
    let bench = Bench::new();
    let request = bench.request("question");
    let recorded = answer("recorded", Ending::Complete);
    bench
        .store
        .write(|tx| tx.keep_answer(request, replay("tape"), &recorded, None))
        .unwrap();
    assert_eq!(bench.store.answer(key("question"), false).unwrap(), None);
    assert!(matches!(bench.claim(request), Claim::Granted(_)));
    assert_eq!(
        bench
            .store
            .answer_to(request, replay("tape"), false)
            .unwrap(),
        Some(recorded)
    );
}

#[test]
fn an_open_unit_keeps_its_number_when_it_is_done() {
    let bench = Bench::new();
    let open = bench.unit("a", Realm::Live, false);
    assert_eq!(
        bench
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        None
    );
    assert_eq!(bench.unit("a", Realm::Live, true), open);
    assert_eq!(
        bench
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        Some((open, None))
    );
    assert_eq!(
        bench
            .store
            .open_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        None
    );
}

/// A build that is resumed holds a unit to what it asked before (I9).
#[test]
fn an_open_unit_remembers_what_it_asked_in_order() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, false);
    for (position, text) in ["second", "first", "second"].into_iter().enumerate() {
        let request = bench.request(text);
        bench
            .store
            .write(|tx| tx.add_to_transcript(unit, position, request, None))
            .unwrap();
    }
    let open = bench
        .store
        .open_unit(Digest::of(b"a"), Realm::Live)
        .unwrap()
        .unwrap();
    assert_eq!(
        open.transcript,
        [key("second"), key("first"), key("second")]
    );
}

#[test]
fn a_retired_unit_makes_room_for_another_under_its_fingerprint() {
    let bench = Bench::new();
    let old = bench.unit("a", Realm::Live, true);
    bench.store.write(|tx| tx.retire_unit(old)).unwrap();
    let new = bench.unit("a", Realm::Live, true);
    assert_ne!(new, old);
    assert_eq!(
        bench
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        Some((new, None))
    );
}

#[test]
fn a_retired_unit_keeps_its_artifacts() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, "text");
    bench.store.write(|tx| tx.retire_unit(unit)).unwrap();
    assert_eq!(bench.store.artifact(id).unwrap(), artifact("text"));
    assert_eq!(bench.store.outputs(unit).unwrap().len(), 1);
}

/// M7: forgetting what was made does not forget what was paid.
#[test]
fn forgetting_units_keeps_answers_and_builds() {
    let bench = Bench::new();
    let request = bench.request("question");
    let attempt = bench.granted(request);
    bench
        .store
        .write(|tx| tx.close_answered(attempt, request, &answer("yes", Ending::Complete)))
        .unwrap();
    let source = bench.unit("source", Realm::Live, true);
    let input = bench.artifact(source, "input");
    let unit = bench.unit("a", Realm::Live, true);
    bench
        .store
        .write(|tx| tx.add_input(unit, 0, input))
        .unwrap();
    bench
        .store
        .write(|tx| tx.add_to_transcript(unit, 0, request, None))
        .unwrap();
    bench.artifact(unit, "text");
    bench.snapshot(&[("source", &[source]), ("notes", &[unit])]);
    let forgotten = bench.store.write(|tx| tx.forget_units()).unwrap();
    assert_eq!(forgotten, 2);
    assert_eq!(bench.count("artifact"), 0);
    assert!(bench.store.newest_snapshot().unwrap().is_none());
    assert!(
        bench
            .store
            .answer(key("question"), false)
            .unwrap()
            .is_some()
    );
    assert!(bench.store.build(bench.build).unwrap().is_some());
}

/// I9: a unit that took a truncated answer is never shown another one later.
#[test]
fn an_answer_that_was_taken_stays_the_answer() {
    let bench = Bench::new();
    let request = bench.request("question");
    let keep = |text: &str, ending| {
        let answer = answer(text, ending);
        let retry = bench.retry([FailureKind::Truncated]);
        let Claim::Granted(attempt) = bench.claim_on(request, &retry) else {
            panic!("it is asked again");
        };
        bench
            .store
            .write(|tx| tx.close_answered(attempt, request, &answer))
            .unwrap();
        answer
    };
    let cut = keep("cut", Ending::Truncated);
    let found = |accept| bench.store.answer(key("question"), accept).unwrap();
    assert_eq!((found(true), found(false)), (Some(cut.clone()), None));
    let whole = keep("whole", Ending::Complete);
    assert_eq!((found(true), found(false)), (Some(cut), Some(whole)));
}

/// C1: each cassette's answer is its own.
#[test]
fn a_transcript_names_the_answer_of_its_own_cassette() {
    let bench = Bench::new();
    let request = bench.request("question");
    let given = |tape: &str| {
        let said = answer(tape, Ending::Complete);
        bench
            .store
            .write(|tx| tx.keep_answer(request, replay(tape), &said, None))
            .unwrap();
        let unit = bench.unit(tape, replay(tape), true);
        bench
            .store
            .write(|tx| {
                tx.add_to_transcript(unit, 0, request, Some((replay(tape), Ending::Complete)))
            })
            .unwrap();
        unit
    };
    let (one, two) = (given("one"), given("two"));
    let text = |unit| {
        let entry = bench.store.transcript(unit).unwrap()[0];
        bench
            .store
            .given_answer(entry.answer.unwrap())
            .unwrap()
            .0
            .text
    };
    assert_eq!((text(one), text(two)), ("one".to_owned(), "two".to_owned()));
}
