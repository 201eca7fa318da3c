//! What was paid for without a usable answer is not asked again.

use super::*;
use synix_core::request::OutcomeSummary;

const PAID: [FailureKind; 5] = [
    FailureKind::Truncated,
    FailureKind::Refused,
    FailureKind::Filtered,
    FailureKind::Empty,
    FailureKind::Unreadable,
];

fn failure(claim: Claim) -> (FailureKind, String) {
    let Claim::Settled(settlement) = claim else {
        panic!("not settled: {claim:?}");
    };
    match *settlement {
        OutcomeSummary::Failed(failure) => (failure.kind, failure.message),
        answered @ OutcomeSummary::Answered { .. } => panic!("not failed: {answered:?}"),
    }
}

#[test]
fn a_failure_that_was_paid_for_stays_with_its_words() {
    let fixture = Fixture::new();
    for kind in PAID {
        let request = fixture.request(kind.name());
        fixture.failed(request, kind, "the provider's words");
        let later = fixture.retry([]);
        let (found, message) = failure(fixture.claim_on(request, &later));
        assert_eq!(found, kind);
        assert!(
            message.starts_with("the provider's words (paid for in build-1;"),
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

/// A later attempt that cost nothing does not open the purse again.
#[test]
fn what_was_paid_for_is_remembered_behind_a_failure_that_cost_nothing() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture.failed(request, FailureKind::Refused, "no");
    let retry = fixture.retry([FailureKind::Refused]);
    let Claim::Granted(attempt) = fixture.claim_on(request, &retry) else {
        panic!("it is asked again");
    };
    let down = note(FailureKind::Provider, "down");
    fixture
        .store
        .write(|tx| tx.close_failed(attempt, &down, Usage::default()))
        .unwrap();
    assert_eq!(failure(fixture.claim(request)).0, FailureKind::Refused);
}

#[test]
fn only_the_kinds_that_were_named_are_asked_again_and_only_once() {
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
        panic!("it is asked again");
    };
    let again = note(FailureKind::Empty, "nothing again");
    fixture
        .store
        .write(|tx| tx.close_failed(attempt, &again, Usage::default()))
        .unwrap();
    // The same command, and another that was told the same before, have had their attempt.
    let (_, message) = failure(fixture.claim_on(request, &named));
    assert!(message.starts_with("nothing again"), "{message}");
}

/// A reply may have been mangled on its way: the command that got it asks once more, nobody else does.
#[test]
fn what_could_not_be_read_is_asked_again_by_its_own_command_alone() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let begun = fixture.retry([]);
    let attempt = fixture.granted(request);
    let garbled = note(FailureKind::Unreadable, "no JSON");
    fixture
        .store
        .write(|tx| tx.close_failed(attempt, &garbled, Usage::default()))
        .unwrap();
    let other = open_build(&fixture.store);
    let terms = Terms {
        accept_truncated: false,
        retry: &begun,
    };
    let claim = |tx: &Transaction<'_>| tx.claim(request, alone(other), terms);
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
fn who_asks_again_is_waited_for() {
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

/// Another process may have answered it a moment ago.
#[test]
fn an_answer_that_has_come_meanwhile_is_no_failure() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    let given = answer("yes", Ending::Complete);
    fixture
        .store
        .write(|tx| tx.close_answered(attempt, request, &given))
        .unwrap();
    let found = fixture
        .store
        .paid_for(request, &Retry::default(), None)
        .unwrap();
    assert_eq!(found, Some(OutcomeSummary::from(&given)));
}

/// An answer that was let go cannot be shown again, so it is asked for again.
#[test]
fn a_cut_answer_that_was_let_go_is_asked_for_again() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    let cut = answer("ye", Ending::Truncated);
    fixture
        .store
        .write(|tx| tx.close_answered(attempt, request, &cut))
        .unwrap();
    assert!(matches!(fixture.claim(request), Claim::Settled(_)));
    fixture
        .store
        .execute_batch("DELETE FROM answer_body; DELETE FROM answer")
        .unwrap();
    assert!(matches!(fixture.claim(request), Claim::Granted(_)));
}
