//! Who drives a build.

use super::*;

/// L6: the second process that would drive a build is told who holds it.
#[test]
fn a_build_is_driven_by_one_who_is_named() {
    let bench = Bench::new();
    let other = Store::open(bench.path()).unwrap();
    let mut lock = bench.store.lock_build(bench.build).unwrap().unwrap();
    lock.sign("process 7").unwrap();
    assert!(other.lock_build(bench.build).unwrap().is_none());
    assert_eq!(other.build_holder(bench.build), "process 7");
}

#[test]
fn a_lock_that_was_dropped_can_be_taken() {
    let bench = Bench::new();
    drop(bench.store.lock_build(bench.build).unwrap());
    assert!(bench.store.lock_build(bench.build).unwrap().is_some());
}

#[test]
fn two_builds_are_driven_side_by_side() {
    let bench = Bench::new();
    let _lock = bench.store.lock_build(bench.build).unwrap().unwrap();
    let other = open_build(&bench.store);
    assert!(bench.store.lock_build(other).unwrap().is_some());
}

#[test]
fn a_unit_of_a_build_stands_where_it_was_last_seen() {
    let bench = Bench::new();
    for state in [UnitState::Waiting, UnitState::Done] {
        bench
            .store
            .write(|tx| tx.keep_build_unit(bench.build, 1, "a", state))
            .unwrap();
    }
    let expected = LayerTally {
        waiting: 0,
        done: 1,
        failed: 0,
    };
    assert_eq!(bench.store.layer_tally(bench.build, 1).unwrap(), expected);
}
