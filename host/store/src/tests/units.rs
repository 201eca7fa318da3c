//! Units, their transcripts and their answer origins.

use super::*;

/// C1: a live build never uses a unit made from a cassette, nor a replay one from another cassette.
#[test]
fn a_replayed_unit_is_found_under_its_own_origin_only() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", replay("tape"), true);
    let found = |answer_origin| {
        fixture
            .store
            .finished_unit(Digest::of(b"a"), answer_origin)
            .unwrap()
    };
    assert_eq!(found(AnswerOrigin::Live), None);
    assert_eq!(found(replay("other")), None);
    assert_eq!(found(replay("tape")), Some((unit, None)));
}

/// C1: a recorded answer does not count as the answer of a provider.
#[test]
fn a_replayed_answer_is_not_a_live_answer() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let recorded = answer("recorded", Ending::Complete);
    fixture
        .store
        .write(|tx| tx.store_answer(request, replay("tape"), &recorded, None))
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
    let open = fixture.unit("a", AnswerOrigin::Live, false);
    assert_eq!(
        fixture
            .store
            .finished_unit(Digest::of(b"a"), AnswerOrigin::Live)
            .unwrap(),
        None
    );
    assert_eq!(fixture.unit("a", AnswerOrigin::Live, true), open);
    assert_eq!(
        fixture
            .store
            .finished_unit(Digest::of(b"a"), AnswerOrigin::Live)
            .unwrap(),
        Some((open, None))
    );
    assert_eq!(
        fixture
            .store
            .open_unit(Digest::of(b"a"), AnswerOrigin::Live)
            .unwrap(),
        None
    );
}

/// I9: a resumed build compares the requests of a unit with its earlier ones.
#[test]
fn an_open_unit_has_its_requests_in_order() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, false);
    for (position, text) in ["second", "first", "second"].into_iter().enumerate() {
        let request = fixture.request(text);
        fixture
            .store
            .write(|tx| tx.add_to_transcript(unit, position, request, None))
            .unwrap();
    }
    let open = fixture
        .store
        .open_unit(Digest::of(b"a"), AnswerOrigin::Live)
        .unwrap()
        .unwrap();
    assert_eq!(
        open.transcript,
        [key("second"), key("first"), key("second")]
    );
}

/// Snapshots refer to the finished unit, and its answers may be others.
#[test]
fn a_finished_unit_stays_as_it_is_when_it_is_made_again() {
    for done in [false, true] {
        let fixture = Fixture::new();
        let first = fixture.unit("a", AnswerOrigin::Live, true);
        let artifact = fixture.artifact(first, "text");
        let again = fixture.unit("a", AnswerOrigin::Live, done);
        assert_ne!(first, again);
        assert_eq!(fixture.store.outputs(first).unwrap()[0].id, artifact);
        assert_eq!(fixture.store.outputs(again).unwrap(), []);
        let finished = fixture
            .store
            .finished_unit(Digest::of(b"a"), AnswerOrigin::Live)
            .unwrap();
        assert_eq!(finished.map(|(unit, _)| unit), done.then_some(again));
    }
}

/// Two commands may have the same unit open. The one that finishes it must not mix its rows with those of the other.
#[test]
fn only_a_unit_that_nobody_else_has_stored_is_finished_by_itself() {
    let fixture = Fixture::new();
    let fingerprint = Digest::of(b"a");
    let key = UnitKey::parse("a").unwrap();
    let finish = |unit, build| {
        let new = new_unit(&key, build);
        fixture.store.write(|tx| tx.finish_unit(unit, &new))
    };
    let unit = fixture.unit("a", AnswerOrigin::Live, false);
    let other = BuildId(fixture.build.0 + 1);
    assert!(fixture.store.is_open_unit_of(unit, fixture.build).unwrap());
    assert!(!fixture.store.is_open_unit_of(unit, other).unwrap());
    assert!(!finish(unit, other).unwrap());
    assert!(finish(unit, fixture.build).unwrap());
    assert!(fixture.store.unit(unit).is_ok());
    let finished = fixture
        .store
        .finished_unit(fingerprint, AnswerOrigin::Live)
        .unwrap();
    assert_eq!(finished.map(|(unit, _)| unit), Some(unit));
    assert!(!fixture.store.is_open_unit_of(unit, fixture.build).unwrap());
    assert!(!finish(unit, fixture.build).unwrap());
}

/// A run may make fewer requests than an earlier one of another command did.
#[test]
fn a_transcript_ends_with_the_last_request_of_the_run() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, false);
    let requests = ["one", "two", "three"].map(|text| fixture.request(text));
    let answered = answer("answer", Ending::Complete);
    fixture
        .store
        .write(|tx| {
            for (position, request) in requests.into_iter().enumerate() {
                tx.add_to_transcript(unit, position, request, None)?;
            }
            tx.truncate_transcript(unit, 2)?;
            tx.store_answer(requests[1], AnswerOrigin::Live, &answered, None)?;
            tx.set_transcript_answer(unit, 1, (AnswerOrigin::Live, Ending::Complete))
        })
        .unwrap();
    let transcript = fixture.store.transcript(unit).unwrap();
    let seen: Vec<_> = transcript
        .iter()
        .map(|entry| (entry.key, entry.answer.is_some()))
        .collect();
    assert_eq!(seen, [(key("one"), false), (key("two"), true)]);
}

#[test]
fn a_retired_unit_frees_its_fingerprint() {
    let fixture = Fixture::new();
    let old = fixture.unit("a", AnswerOrigin::Live, true);
    fixture.store.write(|tx| tx.retire_unit(old)).unwrap();
    let new = fixture.unit("a", AnswerOrigin::Live, true);
    assert_ne!(new, old);
    assert_eq!(
        fixture
            .store
            .finished_unit(Digest::of(b"a"), AnswerOrigin::Live)
            .unwrap(),
        Some((new, None))
    );
}

#[test]
fn a_retired_unit_keeps_its_artifacts() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let id = fixture.artifact(unit, "text");
    fixture.store.write(|tx| tx.retire_unit(unit)).unwrap();
    assert_eq!(fixture.store.artifact(id).unwrap(), artifact("text"));
    assert_eq!(fixture.store.outputs(unit).unwrap().len(), 1);
}

/// M7: deleting units does not delete the record of costs.
#[test]
fn deleting_units_retains_answers_and_builds() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    fixture
        .store
        .write(|tx| {
            tx.close_answered(
                attempt,
                request,
                &answer("yes", Ending::Complete),
                Timestamp(5),
            )
        })
        .unwrap();
    let source = fixture.unit("source", AnswerOrigin::Live, true);
    let input = fixture.artifact(source, "input");
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
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
    let deleted = fixture.store.write(|tx| tx.delete_units()).unwrap();
    assert_eq!(deleted, 2);
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

/// I9: a unit that received a truncated answer never receives another one.
#[test]
fn a_truncated_answer_that_was_accepted_remains_the_answer() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let keep = |text: &str, ending| {
        let answer = answer(text, ending);
        let retry = fixture.retry([FailureKind::Truncated]);
        let Claim::Granted(attempt) = fixture.claim_on(request, &retry) else {
            panic!("not sent again");
        };
        fixture
            .store
            .write(|tx| tx.close_answered(attempt, request, &answer, Timestamp(5)))
            .unwrap();
        answer
    };
    let cut = keep("cut", Ending::Truncated);
    let found = |accept| fixture.store.answer(key("question"), accept).unwrap();
    assert_eq!((found(true), found(false)), (Some(cut.clone()), None));
    let is_complete = keep("whole", Ending::Complete);
    assert_eq!((found(true), found(false)), (Some(cut), Some(is_complete)));
}

/// C1: each cassette has its own answers.
#[test]
fn a_transcript_names_the_answer_of_its_own_cassette() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let given = |tape: &str| {
        let answer_text = answer(tape, Ending::Complete);
        fixture
            .store
            .write(|tx| tx.store_answer(request, replay(tape), &answer_text, None))
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
            .transcript_answer(entry.answer.unwrap())
            .unwrap()
            .0
            .text
    };
    assert_eq!((text(one), text(two)), ("one".to_owned(), "two".to_owned()));
}

fn file_digest(modified_ns: i64) -> FileDigest {
    FileDigest {
        stamp: FileStamp {
            size: 3,
            modified_ns,
            // Some file systems use all 64 bits.
            inode: u64::MAX,
        },
        stamped_ns: 10_000_000_000,
        digest: Digest::of(b"one"),
    }
}

#[test]
fn the_digest_of_a_file_is_read_as_it_was_stored() {
    let fixture = Fixture::new();
    let file = file_digest(-1);
    fixture
        .store
        .write(|tx| tx.store_file_digest("a/b.csv", &file))
        .unwrap();
    let found = fixture.store.file_digests().unwrap();
    assert_eq!(found.get("a/b.csv"), Some(&file));
    // Nobody hashed the bytes that a changed row would vouch for.
    tamper(fixture.path(), "UPDATE file_digest SET size = 4");
    assert!(fixture.store.file_digests().unwrap().is_empty());
}

#[test]
fn a_stamp_proves_nothing_if_the_file_had_just_changed() {
    let settled = file_digest(0);
    assert!(settled.proves(&settled.stamp));
    let fresh = file_digest(9_000_000_000);
    assert!(!fresh.proves(&fresh.stamp));
    let other = FileStamp {
        inode: 7,
        ..settled.stamp
    };
    assert!(!settled.proves(&other));
}

#[test]
fn the_failure_of_a_file_is_read_as_it_was_stored() {
    let fixture = Fixture::new();
    let (failed, other) = (Digest::of(b"failed"), Digest::of(b"other"));
    fixture
        .store
        .write(|tx| tx.store_file_failure(fixture.build, failed, "a.csv", "no table"))
        .unwrap();
    let message = |fingerprint| fixture.store.file_failure(fingerprint).unwrap();
    assert_eq!(message(failed).as_deref(), Some("no table"));
    assert_eq!(message(other), None);
    // Whoever changes a message or swaps rows makes the file be read again.
    tamper(fixture.path(), "UPDATE file_failure SET message = 'other'");
    assert_eq!(message(failed), None);
}

/// Another version may have other limits, so it reads the file itself.
#[test]
fn the_failure_of_a_file_counts_for_one_version() {
    let fixture = Fixture::new();
    let failed = Digest::of(b"failed");
    fixture
        .store
        .write(|tx| tx.store_file_failure(fixture.build, failed, "a.csv", "no table"))
        .unwrap();
    tamper(fixture.path(), "UPDATE file_failure SET version = '0.0.1'");
    assert_eq!(fixture.store.file_failure(failed).unwrap(), None);
}

#[test]
fn what_a_reader_left_out_is_read_as_it_was_stored() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let skipped = SkippedCount {
        reason: "unreadable".to_owned(),
        count: 7,
        examples: vec!["a.csv: line 2".to_owned()],
    };
    fixture
        .store
        .write(|tx| tx.add_skipped(unit, &skipped))
        .unwrap();
    assert_eq!(fixture.store.skipped(unit).unwrap(), [skipped]);
    tamper(fixture.path(), "UPDATE unit_skipped SET count = 0");
    assert!(fixture.store.skipped(unit).is_err());
}
