//! Rows that were changed after they were written.

use super::*;

/// W12: an artifact that does not match its digest is neither shown nor used.
#[test]
fn a_changed_artifact_is_not_read() {
    for change in [
        "UPDATE artifact_body SET content = 'evil'",
        "UPDATE artifact_body SET metadata = '{\"n\":2}'",
        "UPDATE artifact_body SET media_type = 'text/plain'",
        "UPDATE artifact SET label = 'b'",
        "UPDATE artifact SET kind = 'b'",
        "UPDATE artifact SET digest = zeroblob(32)",
    ] {
        let fixture = Fixture::new();
        let unit = fixture.unit("a", AnswerOrigin::Live, true);
        let id = fixture.artifact(unit, "good");
        assert!(fixture.store.artifact(id).is_ok());
        fixture.store.connection.execute_batch(change).unwrap();
        let read = fixture.store.artifact(id);
        assert!(
            matches!(read, Err(StoreError::Changed { .. })),
            "{change}: {read:?}"
        );
    }
}

/// W12: listed rows and headers have no content to compare with the digest, so their seals are checked.
#[test]
fn a_changed_row_is_not_listed() {
    let changes = [
        "UPDATE artifact SET label = 'b'",
        "UPDATE artifact SET kind = 'b'",
        "UPDATE artifact SET digest = zeroblob(32)",
    ];
    for change in changes {
        let fixture = Fixture::new();
        let unit = fixture.unit("a", AnswerOrigin::Live, true);
        let id = fixture.artifact(unit, "good");
        assert!(fixture.store.outputs(unit).is_ok() && fixture.store.artifact_header(id).is_ok());
        fixture.store.connection.execute_batch(change).unwrap();
        let snapshot = fixture.snapshot(&[("notes", &[unit])]);
        let snapshot = fixture
            .store
            .newest_snapshot()
            .unwrap()
            .filter(|new| new.id == snapshot);
        let listed = fixture
            .store
            .snapshot_artifacts(&snapshot.unwrap(), "notes");
        assert!(
            matches!(listed, Err(StoreError::Changed { .. })),
            "{change}"
        );
        assert!(fixture.store.outputs(unit).is_err(), "{change}");
        assert!(fixture.store.artifact_header(id).is_err(), "{change}");
    }
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let id = fixture.artifact(unit, "good");
    let change = "UPDATE artifact_body SET metadata = '{\"n\":2}'";
    fixture.store.connection.execute_batch(change).unwrap();
    assert!(fixture.store.artifact_header(id).is_err());
}

/// W12: a fingerprint makes a unit fresh, so the fingerprint of another unit is detected.
#[test]
fn a_changed_unit_is_not_fresh() {
    let exchange = "UPDATE unit SET fingerprint = zeroblob(32) WHERE id = 1;
                    UPDATE unit SET fingerprint = (SELECT digest FROM swapped WHERE id = 1) WHERE id = 2;
                    UPDATE unit SET fingerprint = (SELECT digest FROM swapped WHERE id = 2) WHERE id = 1";
    for change in [
        exchange,
        "UPDATE unit SET layer = 'other'",
        "UPDATE unit SET key = key || 'x'",
        "UPDATE unit SET partial = 1",
        "UPDATE unit SET realm = zeroblob(32)",
        "UPDATE unit_detail SET roles = '{}'",
    ] {
        let fixture = Fixture::new();
        let [old, new] = ["old", "new"].map(|name| fixture.unit(name, AnswerOrigin::Live, true));
        let snapshot = fixture.snapshot(&[("notes", &[old, new])]);
        let found = fixture.store.newest_snapshot().unwrap().unwrap();
        assert_eq!(found.id, snapshot);
        assert!(fixture.store.snapshot_units(&found, "notes").is_ok());
        let connection = &fixture.store.connection;
        connection
            .execute_batch(
                "CREATE TEMP TABLE swapped AS SELECT id, fingerprint AS digest FROM unit",
            )
            .unwrap();
        connection.execute_batch(change).unwrap();
        let answer_origin = if change.contains("realm") {
            AnswerOrigin::Replay(Digest::from_bytes([0; 32]))
        } else {
            AnswerOrigin::Live
        };
        let finished = fixture
            .store
            .finished_unit(Digest::of(b"new"), answer_origin);
        assert!(
            matches!(finished, Err(StoreError::Changed { .. })),
            "{change}: {finished:?}"
        );
        let listed = fixture.store.snapshot_units(&found, "notes");
        assert!(
            matches!(listed, Err(StoreError::Changed { .. })),
            "{change}"
        );
        assert!(fixture.store.unit(new).is_err(), "{change}");
        assert!(
            fixture.store.write(|tx| tx.retire_unit(new)).is_err(),
            "{change}"
        );
    }
}

/// W12: a changed row does not make an open unit finished, or a finished one open.
#[test]
fn a_unit_whose_state_was_changed_is_neither_open_nor_finished() {
    for (done, change) in [
        (false, "UPDATE unit SET done = 1"),
        (true, "UPDATE unit SET done = 0"),
    ] {
        let fixture = Fixture::new();
        fixture.unit("a", AnswerOrigin::Live, done);
        fixture.store.connection.execute_batch(change).unwrap();
        let fingerprint = Digest::of(b"a");
        let (open, finished) = (
            fixture.store.open_unit(fingerprint, AnswerOrigin::Live),
            fixture.store.finished_unit(fingerprint, AnswerOrigin::Live),
        );
        assert!(open.is_err() || finished.is_err(), "{change}");
    }
}

/// W12: an output belongs to the unit that made it, at its position.
#[test]
fn an_output_of_another_unit_is_not_listed() {
    for change in [
        "UPDATE artifact SET unit = 2",
        "UPDATE artifact SET position = 1",
    ] {
        let fixture = Fixture::new();
        let [one, other] =
            ["one", "other"].map(|name| fixture.unit(name, AnswerOrigin::Live, true));
        fixture.artifact(one, "good");
        fixture.store.connection.execute_batch(change).unwrap();
        let listed = [one, other].map(|unit| fixture.store.outputs(unit));
        let is_changed = |listed: &Result<_, _>| matches!(listed, Err(StoreError::Changed { .. }));
        assert!(listed.iter().any(is_changed), "{change}: {listed:?}");
    }
}

/// W12: the fingerprint parts and the log belong to this unit.
#[test]
fn the_changed_parts_of_a_unit_are_not_read() {
    for change in [
        "UPDATE unit_detail SET parts = '{\"version\":2}'",
        "UPDATE unit_detail SET log = 'info all is well'",
    ] {
        let fixture = Fixture::new();
        let unit = fixture.unit("a", AnswerOrigin::Live, true);
        assert!(fixture.store.unit(unit).is_ok());
        fixture.store.connection.execute_batch(change).unwrap();
        let read = fixture.store.unit(unit);
        assert!(matches!(read, Err(StoreError::Changed { .. })), "{change}");
    }
}

/// The seal is updated when a unit is opened again, finished or retired.
#[test]
fn each_change_by_synix_updates_the_seal() {
    let fixture = Fixture::new();
    let fingerprint = Digest::of(b"a");
    for done in [false, false, true] {
        let unit = fixture.unit("a", AnswerOrigin::Live, done);
        assert!(fixture.store.unit(unit).is_ok(), "{done}");
    }
    let finished = fixture
        .store
        .finished_unit(fingerprint, AnswerOrigin::Live)
        .unwrap();
    let (unit, _) = finished.unwrap();
    fixture.store.write(|tx| tx.retire_unit(unit)).unwrap();
    assert!(fixture.store.unit(unit).is_ok());
    assert_eq!(
        fixture
            .store
            .finished_unit(fingerprint, AnswerOrigin::Live)
            .unwrap(),
        None
    );
}

/// W12: units are made from answers.
#[test]
fn a_changed_answer_is_not_used() {
    let fixture = Fixture::new();
    let [one, other] = ["one", "other"].map(|text| fixture.request(text));
    for (request, text) in [(one, "good"), (other, "fine")] {
        let given = answer(text, Ending::Complete);
        fixture
            .store
            .write(|tx| tx.store_answer(request, AnswerOrigin::Live, &given, None))
            .unwrap();
    }
    let read = || fixture.store.answer_to(one, AnswerOrigin::Live, false);
    assert!(read().unwrap().is_some());
    for change in [
        "UPDATE answer_body SET document = replace(document, 'good', 'evil')",
        // An intact answer, but to another request.
        "UPDATE answer_body SET (document, seal) = (SELECT document, seal FROM answer_body WHERE answer = 2)
         WHERE answer = 1",
    ] {
        fixture.store.connection.execute_batch(change).unwrap();
        assert!(matches!(read(), Err(StoreError::Changed { .. })), "{change}");
        assert!(fixture.store.transcript_answer(AnswerId(1)).is_err(), "{change}");
    }
}

/// W12: a request is checked against its key.
#[test]
fn a_changed_request_is_not_read() {
    let fixture = Fixture::new();
    let id = fixture.request("good");
    let change = "UPDATE request_body SET document = replace(document, 'good', 'evil')";
    fixture.store.connection.execute_batch(change).unwrap();
    assert!(matches!(
        fixture.store.request(id),
        Err(StoreError::Changed { .. })
    ));
}
