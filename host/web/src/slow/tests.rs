use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use super::*;

const LONG: Duration = Duration::from_secs(3600);

fn wanted(version: u64, patience: Duration) -> Wanted {
    Wanted {
        version,
        max_age: LONG,
        patience,
    }
}

#[test]
fn a_page_waits_for_a_value_that_is_there_soon() {
    let values = Slow::new();
    let found = values.get(&(), wanted(1, LONG), || 7).unwrap();
    assert_eq!((*found.value, found.age), (7, None));
}

#[test]
fn a_page_without_patience_gets_the_last_value_with_its_age() {
    let values: Slow<(), u32> = Slow::new();
    let (release, held) = mpsc::channel::<()>();
    let work = move || {
        let _ = held.recv();
        1
    };
    assert!(values.get(&(), wanted(1, Duration::ZERO), work).is_none());
    release.send(()).unwrap();
    while values.get(&(), wanted(1, LONG), || 1).is_none() {}
    let (release, held) = mpsc::channel::<()>();
    let work = move || {
        let _ = held.recv();
        2
    };
    let found = values.get(&(), wanted(2, Duration::ZERO), work).unwrap();
    assert_eq!(*found.value, 1);
    assert!(found.age.is_some());
    drop(release);
}

#[test]
fn a_value_is_computed_again_only_if_the_version_differs() {
    let values = Slow::new();
    let count = Arc::new(AtomicU32::new(0));
    let get = |version| {
        let count = Arc::clone(&count);
        let work = move || count.fetch_add(1, Ordering::SeqCst);
        *values.get(&(), wanted(version, LONG), work).unwrap().value
    };
    assert_eq!([get(1), get(1), get(2), get(2)], [0, 0, 1, 1]);
}

#[test]
fn keys_do_not_share_a_value() {
    let values = Slow::new();
    let one = values.get(&1, wanted(1, LONG), || "one").unwrap();
    let two = values.get(&2, wanted(1, LONG), || "two").unwrap();
    assert_eq!((*one.value, *two.value), ("one", "two"));
}

#[test]
fn old_values_make_room_for_new_ones() {
    let values = Slow::new();
    for key in 0..10 * MAX_KEPT {
        values.get(&key, wanted(1, LONG), move || key);
    }
    assert!(values.lock().len() <= MAX_KEPT);
}

#[test]
fn work_that_ends_without_a_value_is_begun_again() {
    let values: Slow<(), u32> = Slow::new();
    #[expect(clippy::panic, reason = "a bug in a view")]
    let none = values.get(&(), wanted(1, LONG), || panic!("a bug"));
    assert!(none.is_none());
    let found = values.get(&(), wanted(1, LONG), || 3).unwrap();
    assert_eq!(*found.value, 3);
}
