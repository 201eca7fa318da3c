//! Contents, in the database or in separate files, and transactions.

use super::*;

#[test]
fn a_small_content_stays_in_the_database() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let id = fixture.artifact(unit, "small");
    assert_eq!(fixture.store.artifact(id).unwrap(), artifact("small"));
    assert!(!fixture.path().join("objects").exists());
}

#[test]
fn a_large_content_is_kept_in_a_file_under_its_digest() {
    let fixture = Fixture::new();
    let text = "x".repeat(objects::MAX_INLINE_BYTES + 1);
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let id = fixture.artifact(unit, &text);
    assert_eq!(
        synix_disk::read(&object(&fixture, &text)).unwrap(),
        text.as_bytes()
    );
    assert_eq!(fixture.store.artifact(id).unwrap(), artifact(&text));
}

#[test]
fn a_damaged_object_is_not_read() {
    let fixture = Fixture::new();
    let text = "x".repeat(objects::MAX_INLINE_BYTES + 1);
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let id = fixture.artifact(unit, &text);
    let path = object(&fixture, &text);
    synix_disk::replace(&path, "y".repeat(text.len()).as_bytes()).unwrap();
    match fixture.store.artifact(id) {
        Err(StoreError::BadObject { path: named, .. }) => assert_eq!(named, path),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_object_is_replaced_when_it_is_stored_again() {
    let fixture = Fixture::new();
    let text = "x".repeat(objects::MAX_INLINE_BYTES + 1);
    let first = fixture.unit("a", AnswerOrigin::Live, true);
    fixture.artifact(first, &text);
    synix_disk::replace(&object(&fixture, &text), b"cut").unwrap();
    let second = fixture.unit("b", AnswerOrigin::Live, true);
    let id = fixture.artifact(second, &text);
    assert_eq!(fixture.store.artifact(id).unwrap(), artifact(&text));
}

fn object(fixture: &Fixture, text: &str) -> PathBuf {
    let name = Digest::of(text.as_bytes()).to_string();
    fixture
        .path()
        .join("objects")
        .join(&name[..2])
        .join(&name[2..])
}

/// L7: a transaction is stored completely or not at all.
#[test]
fn a_failed_transaction_stores_nothing() {
    let fixture = Fixture::new();
    let failed: Result<(), StoreError> = fixture.store.write(|tx| {
        add_request(tx, "question")?;
        Err(StoreError::Unusable {
            what: "test",
            detail: String::new(),
        })
    });
    assert!(failed.is_err());
    assert_eq!(fixture.store.request_id(key("question")).unwrap(), None);
}

#[test]
fn the_first_error_of_a_transaction_is_reported() {
    let fixture = Fixture::new();
    let failed: Result<(), StoreError> = fixture.store.write(|_| {
        Err(StoreError::Unusable {
            what: "test",
            detail: "why".to_owned(),
        })
    });
    assert!(matches!(
        failed,
        Err(StoreError::Unusable { what: "test", .. })
    ));
}

#[test]
fn a_failed_transaction_does_not_block_the_next() {
    let fixture = Fixture::new();
    let _: Result<(), _> = fixture.store.write(|_| {
        Err(StoreError::BadObject {
            path: PathBuf::new(),
            source: None,
        })
    });
    fixture
        .store
        .write(|tx| add_request(tx, "question"))
        .unwrap();
    assert!(fixture.store.request_id(key("question")).unwrap().is_some());
}

/// L7: an inner transaction must not end the outer one.
#[test]
fn a_nested_transaction_is_an_error_and_does_not_affect_the_outer_one() {
    let fixture = Fixture::new();
    fixture
        .store
        .write(|tx| {
            add_request(tx, "outer")?;
            let inner: Result<(), StoreError> = fixture.store.write(|_| Ok(()));
            assert!(matches!(inner, Err(StoreError::Nested { .. })), "{inner:?}");
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert!(fixture.store.request_id(key("outer")).unwrap().is_some());
}

#[test]
fn a_transaction_that_panics_stores_nothing() {
    let fixture = Fixture::new();
    let act = || {
        fixture.store.write(|tx| -> Result<(), StoreError> {
            add_request(tx, "question")?;
            panic!("a fault")
        })
    };
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
    assert!(caught.is_err());
    assert_eq!(fixture.store.request_id(key("question")).unwrap(), None);
    fixture.request("next");
}
