//! Invalid values in rows.

use super::*;

/// L2: the name in a row becomes a path, so it must be the name of a file in the project folder.
#[test]
fn a_build_names_a_file_in_the_project_folder() {
    for name in ["../evil.toml", "/etc/passwd", "a/b.toml", "..", ""] {
        let fixture = Fixture::new();
        fixture
            .store
            .connection
            .execute("UPDATE build SET pipeline = ?1", [name])
            .unwrap();
        assert!(fixture.store.build(fixture.build).is_err(), "{name}");
        assert!(fixture.store.builds(None).is_err(), "{name}");
    }
}

/// W12: an invalid value is an error, and is never read as another value.
#[test]
fn an_invalid_value_is_an_error() {
    type Read = fn(&Fixture) -> Result<(), StoreError>;
    let changes: [(&str, Read); 9] = [
        ("UPDATE build SET kind = 'other'", |fixture| {
            fixture.store.build(fixture.build).map(drop)
        }),
        ("UPDATE build SET realm = x'00'", |fixture| {
            fixture.store.build(fixture.build).map(drop)
        }),
        ("UPDATE build SET opened = -1", |fixture| {
            fixture.store.build(fixture.build).map(drop)
        }),
        ("UPDATE build SET fingerprint = x'00'", |fixture| {
            fixture.store.build(fixture.build).map(drop)
        }),
        ("UPDATE build_layer SET mode = 'other'", |fixture| {
            fixture.store.build_layers(fixture.build).map(drop)
        }),
        ("UPDATE build_layer SET position = -1", |fixture| {
            fixture.store.build_layers(fixture.build).map(drop)
        }),
        ("UPDATE submission SET state = 'other'", |fixture| {
            fixture.store.submissions_of(fixture.build).map(drop)
        }),
        ("UPDATE attempt SET state = 7", |fixture| {
            fixture.store.for_each_send(fixture.build, |_| {})
        }),
        ("UPDATE attempt SET input_tokens = -1", |fixture| {
            fixture.store.send_totals(fixture.build).map(drop)
        }),
    ];
    for (change, read) in changes {
        let fixture = Fixture::new();
        let layer = BuildLayer {
            position: 0,
            name: "notes".to_owned(),
            mode: Some(LayerMode::Sync),
            fresh: 0,
            skipped: Vec::new(),
        };
        let row = submission(fixture.build, "a");
        fixture
            .store
            .write(|tx| {
                tx.store_build_layer(fixture.build, &layer)?;
                tx.open_submission(&row)
            })
            .unwrap();
        let request = fixture.request("question");
        fixture.granted(request);
        read(&fixture).unwrap();
        fixture.store.connection.execute_batch(change).unwrap();
        let error = read(&fixture).unwrap_err();
        assert_eq!(error.kind().as_str(), "state_damaged", "{change}: {error}");
    }
}

/// A number that SQLite cannot store is refused; a clamped one would be a wrong record of costs.
#[test]
fn a_number_that_does_not_fit_is_refused() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    let usage = Usage {
        input_tokens: u64::MAX,
        ..Usage::default()
    };
    let note = note(FailureKind::Refused, "no");
    let closed = fixture
        .store
        .write(|tx| tx.close_failed(attempt, &note, usage, Timestamp(5)));
    assert!(
        matches!(closed, Err(StoreError::TooLarge { .. })),
        "{closed:?}"
    );
    assert_eq!(fixture.store.in_flight(request).unwrap(), Some(None));
}

/// The token of a submission becomes the name of a file.
#[test]
fn a_token_is_not_a_path() {
    let fixture = Fixture::new();
    for token in ["../../victim", "/tmp/victim", "a/b", "", "a.b", "a\0"] {
        assert!(
            fixture.store.batch_file(token, ".jsonl").is_err(),
            "{token:?}"
        );
    }
    assert!(fixture.store.batch_file("synix-0a", ".jsonl").is_ok());
}
