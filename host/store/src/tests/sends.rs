//! Requests, claims, answers and sends.

use super::*;

#[test]
fn a_request_is_added_once() {
    let fixture = Fixture::new();
    assert_eq!(fixture.request("question"), fixture.request("question"));
}

/// M1: a slow process does not overwrite a submission that a faster one has changed.
#[test]
fn a_submission_is_written_only_if_it_is_unchanged() {
    let fixture = Fixture::new();
    let mut fast = submission(fixture.build, "a");
    fast.id = fixture.store.write(|tx| tx.open_submission(&fast)).unwrap();
    (fast.state, fast.batch) = (SubmissionState::Adopted, Some("stranger".to_owned()));
    assert!(
        fixture
            .store
            .write(|tx| tx.update_submission(&mut fast))
            .unwrap()
    );
    let mut slow = fixture.store.submission(fast.id).unwrap().unwrap();
    (fast.state, fast.batch) = (SubmissionState::Live, Some("ours".to_owned()));
    assert!(
        fixture
            .store
            .write(|tx| tx.update_submission(&mut fast))
            .unwrap()
    );
    slow.state = SubmissionState::Ended;
    assert!(
        !fixture
            .store
            .write(|tx| tx.update_submission(&mut slow))
            .unwrap()
    );
    let stored = fixture.store.submission(fast.id).unwrap().unwrap();
    assert_eq!(stored.batch.as_deref(), Some("ours"));
    assert_eq!(stored.state, SubmissionState::Live);
}

/// M5: two builds never send the same request at once.
#[test]
fn a_request_in_flight_is_not_granted_again() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture.granted(request);
    let other = open_build(&fixture.store);
    let retry = RetrySelection::default();
    let terms = AnswerPolicy {
        accept_truncated: false,
        retry: &retry,
    };
    let claim = fixture
        .store
        .write(|tx| tx.claim(request, sync_context(other), terms))
        .unwrap();
    assert_eq!(claim, Claim::InFlight);
}

/// M4: a request with an answer is never sent again.
#[test]
fn an_answered_request_is_not_granted_again() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let given = answer("yes", Ending::Complete);
    let attempt = fixture.granted(request);
    fixture
        .store
        .write(|tx| tx.close_answered(attempt, request, &given, Timestamp(5)))
        .unwrap();
    assert_eq!(fixture.claim(request), settled(&given));
}

/// A1: a truncated answer counts only if the layer accepts it.
#[test]
fn a_truncated_answer_counts_only_where_it_is_accepted() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let cut = answer("ye", Ending::Truncated);
    let attempt = fixture.granted(request);
    fixture
        .store
        .write(|tx| tx.close_answered(attempt, request, &cut, Timestamp(5)))
        .unwrap();
    // It is recorded for both, and neither pays for it again.
    assert_eq!(fixture.claim(request), settled(&cut));
    let again = fixture.retry([FailureKind::Truncated]);
    for (accept_truncated, granted) in [(true, false), (false, true)] {
        let terms = AnswerPolicy {
            accept_truncated,
            retry: &again,
        };
        let claim = fixture
            .store
            .write(|tx| tx.claim(request, sync_context(fixture.build), terms))
            .unwrap();
        assert_eq!(matches!(claim, Claim::Granted(_)), granted);
    }
}

fn settled(answer: &Answer) -> Claim {
    Claim::Settled(Box::new(Ok(answer.ending)))
}

#[test]
fn a_complete_answer_replaces_a_truncated_one() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    for ending in [Ending::Truncated, Ending::Complete] {
        let retry = fixture.retry([FailureKind::Truncated]);
        let Claim::Granted(attempt) = fixture.claim_on(request, &retry) else {
            panic!("not sent again");
        };
        fixture
            .store
            .write(|tx| tx.close_answered(attempt, request, &answer("text", ending), Timestamp(5)))
            .unwrap();
    }
    let fallback = fixture
        .store
        .answer(key("question"), false)
        .unwrap()
        .unwrap();
    assert_eq!(fallback.ending, Ending::Complete);
}

/// A8: a failure frees the request and is not an answer.
#[test]
fn a_failed_attempt_frees_its_request() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.failed(request, FailureKind::Provider, "no");
    assert!(
        fixture
            .store
            .answer(key("question"), false)
            .unwrap()
            .is_none()
    );
    assert_ne!(fixture.granted(request), attempt);
}

#[test]
fn the_last_failure_has_the_message_of_the_provider() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    for words in ["first", "second"] {
        let attempt = fixture.granted(request);
        fixture
            .store
            .write(|tx| {
                tx.close_failed(
                    attempt,
                    &note(FailureKind::Provider, words),
                    Usage::default(),
                    Timestamp(5),
                )
            })
            .unwrap();
    }
    let last = fixture.store.last_failure(request).unwrap();
    assert_eq!(last, Some(("provider".to_owned(), "second".to_owned())));
}

/// M10: the totals of a build include every send, whatever its outcome.
#[test]
fn send_totals_count_answers_failures_and_unclear_sends() {
    let fixture = Fixture::new();
    let (first, second) = (fixture.request("first"), fixture.request("second"));
    let attempt = fixture.granted(first);
    fixture
        .store
        .write(|tx| {
            tx.close_answered(
                attempt,
                first,
                &answer("yes", Ending::Complete),
                Timestamp(5),
            )
        })
        .unwrap();
    let attempt = fixture.granted(second);
    let usage = Usage {
        input_tokens: 5,
        ..Usage::default()
    };
    fixture
        .store
        .write(|tx| {
            tx.close_failed(
                attempt,
                &note(FailureKind::Refused, "no"),
                usage,
                Timestamp(5),
            )
        })
        .unwrap();
    fixture
        .store
        .write(|tx| tx.record_unclear_sends(second, fixture.build, 2, Timestamp(5)))
        .unwrap();
    let expected = SendTotals {
        sync: 2,
        batch: 0,
        unclear: 2,
        usage: Usage {
            input_tokens: 15,
            output_tokens: 3,
            ..Usage::default()
        },
    };
    assert_eq!(fixture.store.send_totals(fixture.build).unwrap(), expected);
}

#[test]
fn an_unclear_send_does_not_block_its_request() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture
        .store
        .write(|tx| tx.record_unclear_sends(request, fixture.build, 1, Timestamp(5)))
        .unwrap();
    assert!(matches!(fixture.claim(request), Claim::Granted(_)));
}

/// The sync sends of a process that died are unclear, and free.
#[test]
fn orphaned_sends_become_unclear() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture.granted(request);
    assert_eq!(fixture.store.builds_in_flight().unwrap(), [fixture.build]);
    assert_eq!(
        fixture
            .store
            .write(|tx| tx.close_orphaned_sends(fixture.build, Timestamp(5)))
            .unwrap(),
        1
    );
    assert_eq!(fixture.store.send_totals(fixture.build).unwrap().unclear, 1);
    assert!(matches!(fixture.claim(request), Claim::Granted(_)));
}

/// M2: the requests of a batch stay in flight after the process ends.
#[test]
fn requests_in_a_batch_are_not_orphaned() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let batch = fixture
        .store
        .write(|tx| tx.open_submission(&submission(fixture.build, "t1")))
        .unwrap();
    fixture
        .store
        .write(|tx| {
            let retry = RetrySelection::default();
            let terms = AnswerPolicy {
                accept_truncated: false,
                retry: &retry,
            };
            let origin = SendContext {
                submission: Some(batch),
                ..sync_context(fixture.build)
            };
            tx.claim(request, origin, terms)
        })
        .unwrap();
    assert_eq!(fixture.store.builds_in_flight().unwrap(), []);
    assert_eq!(
        fixture
            .store
            .write(|tx| tx.close_orphaned_sends(fixture.build, Timestamp(5)))
            .unwrap(),
        0
    );
    assert_eq!(fixture.store.in_flight(request).unwrap(), Some(Some(batch)));
}

#[test]
fn only_submissions_with_claims_are_unsettled() {
    let fixture = Fixture::new();
    for (number, state) in [
        SubmissionState::Creating,
        SubmissionState::Live,
        SubmissionState::Settled,
        SubmissionState::Abandoned,
    ]
    .into_iter()
    .enumerate()
    {
        let mut row = submission(fixture.build, &format!("t{number}"));
        row.id = fixture.store.write(|tx| tx.open_submission(&row)).unwrap();
        row.state = state;
        fixture
            .store
            .write(|tx| tx.update_submission(&mut row))
            .unwrap();
    }
    let unsettled = fixture.store.unsettled_submissions().unwrap();
    let states: Vec<_> = unsettled.iter().map(|row| row.state).collect();
    assert_eq!(states, [SubmissionState::Creating, SubmissionState::Live]);
}
