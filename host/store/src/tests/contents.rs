//! Contents: in the database, or in files under their digest.

use super::*;

#[test]
fn a_small_content_stays_in_the_database() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, "small");
    assert_eq!(bench.store.artifact(id).unwrap(), artifact("small"));
    assert!(!bench.path().join("objects").exists());
}

#[test]
fn a_large_content_is_kept_in_a_file_under_its_digest() {
    let bench = Bench::new();
    let text = "x".repeat(objects::LARGE + 1);
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, &text);
    assert_eq!(
        synix_disk::read(&object(&bench, &text)).unwrap(),
        text.as_bytes()
    );
    assert_eq!(bench.store.artifact(id).unwrap(), artifact(&text));
}

#[test]
fn a_damaged_object_is_not_read() {
    let bench = Bench::new();
    let text = "x".repeat(objects::LARGE + 1);
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, &text);
    let path = object(&bench, &text);
    synix_disk::replace(&path, "y".repeat(text.len()).as_bytes()).unwrap();
    match bench.store.artifact(id) {
        Err(StoreError::BadObject { path: named, .. }) => assert_eq!(named, path),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_object_is_replaced_when_it_is_kept_again() {
    let bench = Bench::new();
    let text = "x".repeat(objects::LARGE + 1);
    let first = bench.unit("a", Realm::Live, true);
    bench.artifact(first, &text);
    synix_disk::replace(&object(&bench, &text), b"cut").unwrap();
    let second = bench.unit("b", Realm::Live, true);
    let id = bench.artifact(second, &text);
    assert_eq!(bench.store.artifact(id).unwrap(), artifact(&text));
}

fn object(bench: &Bench, text: &str) -> PathBuf {
    let name = Digest::of(text.as_bytes()).to_string();
    bench
        .path()
        .join("objects")
        .join(&name[..2])
        .join(&name[2..])
}

/// L7: all of a transaction is kept, or nothing.
#[test]
fn a_write_that_fails_leaves_nothing() {
    let bench = Bench::new();
    let failed: Result<(), StoreError> = bench.store.write(|tx| {
        add_request(tx, "question")?;
        Err(StoreError::Unusable {
            what: "test",
            detail: String::new(),
        })
    });
    assert!(failed.is_err());
    assert_eq!(bench.store.request_id(key("question")).unwrap(), None);
}

#[test]
fn the_first_error_of_a_write_is_the_one_reported() {
    let bench = Bench::new();
    let failed: Result<(), StoreError> = bench.store.write(|_| {
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
fn a_write_that_failed_does_not_block_the_next() {
    let bench = Bench::new();
    let _: Result<(), _> = bench.store.write(|_| {
        Err(StoreError::BadObject {
            path: PathBuf::new(),
            source: None,
        })
    });
    bench.store.write(|tx| add_request(tx, "question")).unwrap();
    assert!(bench.store.request_id(key("question")).unwrap().is_some());
}

/// L7: the outer transaction decides; an inner one would end it.
#[test]
fn a_write_within_a_write_is_an_error_and_spoils_nothing() {
    let bench = Bench::new();
    bench
        .store
        .write(|tx| {
            add_request(tx, "outer")?;
            let inner: Result<(), StoreError> = bench.store.write(|_| Ok(()));
            assert!(matches!(inner, Err(StoreError::Nested { .. })), "{inner:?}");
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert!(bench.store.request_id(key("outer")).unwrap().is_some());
}

#[test]
fn a_write_that_panics_leaves_nothing() {
    let bench = Bench::new();
    let act = || {
        bench.store.write(|tx| -> Result<(), StoreError> {
            add_request(tx, "question")?;
            panic!("a fault")
        })
    };
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
    assert!(caught.is_err());
    assert_eq!(bench.store.request_id(key("question")).unwrap(), None);
    bench.request("next");
}
