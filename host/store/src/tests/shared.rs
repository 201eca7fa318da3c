//! Requests and answers in a store of shared answers.

use super::*;

const STORE: &str = "file:///answers";

fn origin() -> SharedOrigin {
    SharedOrigin {
        store: STORE.to_owned(),
        provider: "openai".to_owned(),
        batch: Some("batch-9".to_owned()),
        time: Timestamp(7),
    }
}

impl Fixture {
    fn keep(&self, request: RequestId, build: BuildId, claim: Option<&str>) -> SharedRequest {
        self.store
            .write(|tx| tx.keep_shared_request(request, build, STORE, claim))
            .unwrap()
    }

    fn pay(&self, attempt: AttemptId, request: RequestId, text: &str) {
        let answer = answer(text, Ending::Complete);
        self.store
            .write(|tx| tx.close_answered(attempt, request, &answer, Timestamp(5)))
            .unwrap();
    }

    fn take_shared(&self, request: RequestId, text: &str) {
        let answer = answer(text, Ending::Complete);
        self.store
            .write(|tx| tx.store_shared_answer(request, self.build, &answer, &origin()))
            .unwrap();
    }

    fn only_answer(&self) -> AnswerId {
        let id = self
            .store
            .connection
            .query_row("SELECT id FROM answer", [], |row| row.get(0));
        AnswerId(id.unwrap())
    }
}

/// The claim of another command of this project must not be lost.
#[test]
fn a_row_is_never_replaced_by_another_command() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let first = fixture.keep(request, fixture.build, Some("first"));
    assert_eq!(
        (first.build, first.claim.as_deref()),
        (fixture.build, Some("first"))
    );
    let other = open_build(&fixture.store);
    for claim in [Some("second"), None] {
        assert_eq!(fixture.keep(request, other, claim), first);
    }
    let adopt = |tx: &Transaction<'_>| tx.adopt_shared_request(request, other, Some("first"));
    fixture.store.write(adopt).unwrap();
    let rows = fixture.store.shared_requests(STORE).unwrap();
    assert_eq!(
        (rows.len(), rows[0].build, rows[0].request),
        (1, other, request)
    );
}

/// Whoever changes the store has nothing to settle in the new one.
#[test]
fn a_row_belongs_to_one_store() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture.keep(request, fixture.build, Some("first"));
    let moved = |tx: &Transaction<'_>| {
        tx.keep_shared_request(request, fixture.build, "s3://bucket", Some("second"))
    };
    let row = fixture.store.write(moved).unwrap();
    assert_eq!(row.claim.as_deref(), Some("second"));
    assert!(fixture.store.shared_requests(STORE).unwrap().is_empty());
    assert_eq!(fixture.store.shared_requests("s3://bucket").unwrap(), [row]);
}

#[test]
fn a_row_tells_whether_its_request_is_in_flight_and_its_answer_unpublished() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    assert!(!fixture.keep(request, fixture.build, None).is_in_flight);
    let attempt = fixture.granted(request);
    assert!(fixture.store.shared_requests(STORE).unwrap()[0].is_in_flight);
    assert_eq!(fixture.store.unpublished_answers(STORE).unwrap(), 0);
    fixture.pay(attempt, request, "yes");
    assert_eq!(fixture.store.unpublished_answers(STORE).unwrap(), 1);
    let shared = fixture.store.shareable_answer(request).unwrap().unwrap();
    assert_eq!(
        (shared.answer.text.as_str(), shared.time),
        ("yes", Some(Timestamp(5)))
    );
    let forget = |tx: &Transaction<'_>| tx.forget_shared_request(request);
    fixture.store.write(forget).unwrap();
    assert!(fixture.store.shared_requests(STORE).unwrap().is_empty());
    assert_eq!(fixture.store.unpublished_answers(STORE).unwrap(), 0);
}

#[test]
fn an_answer_from_the_store_has_an_origin_and_no_attempt() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    fixture.take_shared(request, "theirs");
    assert_eq!(fixture.store.shared_answers_of(fixture.build).unwrap(), 1);
    let id = fixture.only_answer();
    assert_eq!(fixture.store.shared_origin(id).unwrap(), Some(origin()));
    assert!(!fixture.store.was_sent(request).unwrap());
}

/// The answer that this project paid for stays, and is not said to be from another machine.
#[test]
fn a_paid_answer_is_not_replaced_by_one_from_the_store() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    fixture.pay(attempt, request, "ours");
    fixture.take_shared(request, "theirs");
    assert_eq!(fixture.store.shared_answers_of(fixture.build).unwrap(), 0);
    let id = fixture.only_answer();
    assert_eq!(fixture.store.shared_origin(id).unwrap(), None);
    let shared = fixture.store.shareable_answer(request).unwrap().unwrap();
    assert_eq!(shared.answer.text, "ours");
}

/// A retry that another machine paid for is a retry as well, and leads to none here.
#[test]
fn an_answer_counts_as_new_since_the_command_began_wherever_it_was_paid() {
    let fixture = Fixture::new();
    let [here, there] = ["here", "there"].map(|text| fixture.request(text));
    let before = fixture.retry([]);
    for request in [here, there] {
        assert!(!fixture.store.was_answered_since(request, &before).unwrap());
    }
    let attempt = fixture.granted(here);
    fixture.pay(attempt, here, "ours");
    fixture.take_shared(there, "theirs");
    let after = fixture.retry([]);
    for request in [here, there] {
        assert!(fixture.store.was_answered_since(request, &before).unwrap());
        assert!(!fixture.store.was_answered_since(request, &after).unwrap());
    }
}
