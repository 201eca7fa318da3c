//! The lock on a build, and the states of its units.

use super::*;

/// L6: a second process sees which process drives the build.
#[test]
fn a_build_is_driven_by_one_process_which_is_named() {
    let fixture = Fixture::new();
    let other = Store::open(fixture.path()).unwrap();
    let mut lock = fixture.store.lock_build(fixture.build).unwrap().unwrap();
    lock.write_holder("process 7").unwrap();
    assert!(other.lock_build(fixture.build).unwrap().is_none());
    assert_eq!(other.build_holder(fixture.build), "process 7");
}

#[test]
fn a_released_lock_can_be_taken() {
    let fixture = Fixture::new();
    drop(fixture.store.lock_build(fixture.build).unwrap());
    assert!(fixture.store.lock_build(fixture.build).unwrap().is_some());
}

#[test]
fn two_builds_are_driven_at_the_same_time() {
    let fixture = Fixture::new();
    let _lock = fixture.store.lock_build(fixture.build).unwrap().unwrap();
    let other = open_build(&fixture.store);
    assert!(fixture.store.lock_build(other).unwrap().is_some());
}

#[test]
fn a_unit_of_a_build_has_its_last_state() {
    let fixture = Fixture::new();
    for state in [UnitState::Waiting, UnitState::Done] {
        fixture
            .store
            .write(|tx| tx.store_build_unit(fixture.build, &build_unit(1, "a", state)))
            .unwrap();
    }
    let expected = LayerTally {
        waiting: 0,
        done: 1,
        failed: 0,
    };
    assert_eq!(
        fixture.store.layer_tally(fixture.build, 1).unwrap(),
        expected
    );
}
