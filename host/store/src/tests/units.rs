//! Units, what they asked, and from where their answers came.

use super::*;

/// C1: a live build never uses what was made from a cassette, nor one cassette what another made.
#[test]
fn a_replayed_unit_is_found_in_its_own_realm_only() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", replay("tape"), true);
    let found = |realm| {
        fixture
            .store
            .finished_unit(Digest::of(b"a"), realm)
            .unwrap()
    };
    assert_eq!(found(Realm::Live), None);
    assert_eq!(found(replay("other")), None);
    assert_eq!(found(replay("tape")), Some((unit, None)));
}

/// C1: a recorded answer does not stand for one that a provider gave.
#[test]
fn a_replayed_answer_is_no_live_answer() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let recorded = answer("recorded", Ending::Complete);
    fixture
        .store
        .write(|tx| tx.keep_answer(request, replay("tape"), &recorded, None))
        .unwrap();
    assert_eq!(fixture.store.answer(key("question"), false).unwrap(), None);
    assert!(matches!(fixture.claim(request), Claim::Granted(_)));
    assert_eq!(
        fixture
            .store
            .answer_to(request, replay("tape"), false)
            .unwrap(),
        Some(recorded)
    );
}

#[test]
fn an_open_unit_keeps_its_number_when_it_is_done() {
    let fixture = Fixture::new();
    let open = fixture.unit("a", Realm::Live, false);
    assert_eq!(
        fixture
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        None
    );
    assert_eq!(fixture.unit("a", Realm::Live, true), open);
    assert_eq!(
        fixture
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        Some((open, None))
    );
    assert_eq!(
        fixture
            .store
            .open_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        None
    );
}

/// A build that is resumed holds a unit to what it asked before (I9).
#[test]
fn an_open_unit_remembers_what_it_asked_in_order() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", Realm::Live, false);
    for (position, text) in ["second", "first", "second"].into_iter().enumerate() {
        let request = fixture.request(text);
        fixture
            .store
            .write(|tx| tx.add_to_transcript(unit, position, request, None))
            .unwrap();
    }
    let open = fixture
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
    let fixture = Fixture::new();
    let old = fixture.unit("a", Realm::Live, true);
    fixture.store.write(|tx| tx.retire_unit(old)).unwrap();
    let new = fixture.unit("a", Realm::Live, true);
    assert_ne!(new, old);
    assert_eq!(
        fixture
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        Some((new, None))
    );
}

#[test]
fn a_retired_unit_keeps_its_artifacts() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", Realm::Live, true);
    let id = fixture.artifact(unit, "text");
    fixture.store.write(|tx| tx.retire_unit(unit)).unwrap();
    assert_eq!(fixture.store.artifact(id).unwrap(), artifact("text"));
    assert_eq!(fixture.store.outputs(unit).unwrap().len(), 1);
}

/// M7: forgetting what was made does not forget what was paid.
#[test]
fn forgetting_units_keeps_answers_and_builds() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    fixture
        .store
        .write(|tx| tx.close_answered(attempt, request, &answer("yes", Ending::Complete)))
        .unwrap();
    let source = fixture.unit("source", Realm::Live, true);
    let input = fixture.artifact(source, "input");
    let unit = fixture.unit("a", Realm::Live, true);
    fixture
        .store
        .write(|tx| tx.add_input(unit, 0, input))
        .unwrap();
    fixture
        .store
        .write(|tx| tx.add_to_transcript(unit, 0, request, None))
        .unwrap();
    fixture.artifact(unit, "text");
    fixture.snapshot(&[("source", &[source]), ("notes", &[unit])]);
    let forgotten = fixture.store.write(|tx| tx.forget_units()).unwrap();
    assert_eq!(forgotten, 2);
    assert_eq!(fixture.count("artifact"), 0);
    assert!(fixture.store.newest_snapshot().unwrap().is_none());
    assert!(
        fixture
            .store
            .answer(key("question"), false)
            .unwrap()
            .is_some()
    );
    assert!(fixture.store.build(fixture.build).unwrap().is_some());
}

/// I9: a unit that took a truncated answer is never shown another one later.
#[test]
fn an_answer_that_was_taken_stays_the_answer() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let keep = |text: &str, ending| {
        let answer = answer(text, ending);
        let retry = fixture.retry([FailureKind::Truncated]);
        let Claim::Granted(attempt) = fixture.claim_on(request, &retry) else {
            panic!("it is asked again");
        };
        fixture
            .store
            .write(|tx| tx.close_answered(attempt, request, &answer))
            .unwrap();
        answer
    };
    let cut = keep("cut", Ending::Truncated);
    let found = |accept| fixture.store.answer(key("question"), accept).unwrap();
    assert_eq!((found(true), found(false)), (Some(cut.clone()), None));
    let whole = keep("whole", Ending::Complete);
    assert_eq!((found(true), found(false)), (Some(cut), Some(whole)));
}

/// C1: each cassette's answer is its own.
#[test]
fn a_transcript_names_the_answer_of_its_own_cassette() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let given = |tape: &str| {
        let said = answer(tape, Ending::Complete);
        fixture
            .store
            .write(|tx| tx.keep_answer(request, replay(tape), &said, None))
            .unwrap();
        let unit = fixture.unit(tape, replay(tape), true);
        fixture
            .store
            .write(|tx| {
                tx.add_to_transcript(unit, 0, request, Some((replay(tape), Ending::Complete)))
            })
            .unwrap();
        unit
    };
    let (one, two) = (given("one"), given("two"));
    let text = |unit| {
        let entry = fixture.store.transcript(unit).unwrap()[0];
        fixture
            .store
            .given_answer(entry.answer.unwrap())
            .unwrap()
            .0
            .text
    };
    assert_eq!((text(one), text(two)), ("one".to_owned(), "two".to_owned()));
}
