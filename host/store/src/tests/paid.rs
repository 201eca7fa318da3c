//! A request that was paid for without a usable answer is not sent again.

use super::*;

const PAID: [FailureKind; 5] = [
    FailureKind::Truncated,
    FailureKind::Refused,
    FailureKind::Filtered,
    FailureKind::Empty,
    FailureKind::Unreadable,
];

fn failure(claim: Claim) -> (FailureKind, String) {
    let Claim::Settled(outcome) = claim else {
        panic!("not settled: {claim:?}");
    };
    match *outcome {
        Err(failure) => (failure.kind, failure.message),
        Ok(ending) => panic!("not failed: {ending:?}"),
    }
}

#[test]
fn a_paid_failure_is_permanent_and_keeps_its_message() {
    let fixture = Fixture::new();
    for kind in PAID {
        let request = fixture.request(kind.name());
        fixture.failed(request, kind, "the provider's message");
        let later = fixture.retry([]);
        let (found, message) = failure(fixture.claim_on(request, &later));
        assert_eq!(found, kind);
        assert!(
            message.starts_with("the provider's message (paid for in build-1;"),
            "{message}"
        );
        assert!(message.contains("--retry-failed"), "{message}");
    }
}

#[test]
fn a_failure_that_cost_nothing_gets_a_new_attempt() {
    let fixture = Fixture::new();
    for kind in [
        FailureKind::Provider,
        FailureKind::Expired,
        FailureKind::Missing,
        FailureKind::Quota,
        FailureKind::Auth,
        FailureKind::Invalid,
    ] {
        let request = fixture.request(kind.name());
        fixture.failed(request, kind, "no");
        assert!(
            matches!(fixture.claim(request), Claim::Granted(_)),
            "{kind}"
        );
    }
}

/// A later attempt that cost nothing must not allow another paid send.
#[test]
fn a_paid_failure_counts_even_after_a_failure_that_cost_nothing() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture.failed(request, FailureKind::Refused, "no");
    let retry = fixture.retry([FailureKind::Refused]);
    let Claim::Granted(attempt) = fixture.claim_on(request, &retry) else {
        panic!("not sent again");
    };
    let down = note(FailureKind::Provider, "down");
    fixture
        .store
        .write(|tx| tx.close_failed(attempt, &down, Usage::default(), Timestamp(5)))
        .unwrap();
    assert_eq!(failure(fixture.claim(request)).0, FailureKind::Refused);
}

#[test]
fn only_selected_kinds_are_sent_again_and_only_once() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture.failed(request, FailureKind::Empty, "nothing");
    let other = fixture.retry([FailureKind::Refused]);
    assert_eq!(
        failure(fixture.claim_on(request, &other)).0,
        FailureKind::Empty
    );
    let named = fixture.retry([FailureKind::Empty]);
    let Claim::Granted(attempt) = fixture.claim_on(request, &named) else {
        panic!("not sent again");
    };
    let again = note(FailureKind::Empty, "nothing again");
    fixture
        .store
        .write(|tx| tx.close_failed(attempt, &again, Usage::default(), Timestamp(5)))
        .unwrap();
    // The command has had its attempt, and so has any command with the same selection.
    let (_, message) = failure(fixture.claim_on(request, &named));
    assert!(message.starts_with("nothing again"), "{message}");
}

/// A reply may have been damaged in transit, so only the command that received it sends the request once more.
#[test]
fn only_the_same_command_retries_an_unreadable_reply() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let begun = fixture.retry([]);
    let attempt = fixture.granted(request);
    let garbled = note(FailureKind::Unreadable, "no JSON");
    fixture
        .store
        .write(|tx| tx.close_failed(attempt, &garbled, Usage::default(), Timestamp(5)))
        .unwrap();
    let other = open_build(&fixture.store);
    let terms = AnswerPolicy {
        accept_truncated: false,
        retry: &begun,
    };
    let claim = |tx: &Transaction<'_>| tx.claim(request, sync_context(other), terms);
    assert_eq!(
        failure(fixture.store.write(claim).unwrap()).0,
        FailureKind::Unreadable
    );
    // A later command of the same build.
    let later = fixture.retry([]);
    assert_eq!(
        failure(fixture.claim_on(request, &later)).0,
        FailureKind::Unreadable
    );
    assert!(matches!(
        fixture.claim_on(request, &begun),
        Claim::Granted(_)
    ));
}

#[test]
fn a_retry_in_flight_is_awaited() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture.failed(request, FailureKind::Refused, "no");
    let retry = fixture.retry([FailureKind::Refused]);
    assert!(matches!(
        fixture.claim_on(request, &retry),
        Claim::Granted(_)
    ));
    assert_eq!(fixture.claim(request), Claim::InFlight);
}

/// Another process may have stored the answer in the meantime.
#[test]
fn an_answer_that_arrived_in_the_meantime_is_returned() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    let given = answer("yes", Ending::Complete);
    fixture
        .store
        .write(|tx| tx.close_answered(attempt, request, &given, Timestamp(5)))
        .unwrap();
    let found = fixture
        .store
        .paid_outcome(request, &RetrySelection::default(), None)
        .unwrap();
    assert_eq!(found, Some(Ok(given.ending)));
}

/// A deleted answer cannot be used again, so its request is sent again.
#[test]
fn the_request_of_a_deleted_answer_is_sent_again() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    let cut = answer("ye", Ending::Truncated);
    fixture
        .store
        .write(|tx| tx.close_answered(attempt, request, &cut, Timestamp(5)))
        .unwrap();
    assert!(matches!(fixture.claim(request), Claim::Settled(_)));
    fixture
        .store
        .execute_batch("DELETE FROM answer_body; DELETE FROM answer")
        .unwrap();
    assert!(matches!(fixture.claim(request), Claim::Granted(_)));
}
