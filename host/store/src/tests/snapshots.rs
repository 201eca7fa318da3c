//! What a build left standing.

use super::*;

#[test]
fn a_snapshot_equal_to_the_newest_is_not_repeated() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, true);
    let first = bench.snapshot(&[("notes", &[unit])]);
    assert_eq!(bench.snapshot(&[("notes", &[unit])]), first);
}

#[test]
fn a_snapshot_that_differs_is_a_new_one() {
    let bench = Bench::new();
    let units = [
        bench.unit("a", Realm::Live, true),
        bench.unit("b", Realm::Live, true),
    ];
    let first = bench.snapshot(&[("notes", &units)]);
    assert_ne!(bench.snapshot(&[("notes", &units[..1])]), first);
}

#[test]
fn equal_layers_of_two_snapshots_share_a_set() {
    let bench = Bench::new();
    let (left, right) = (
        bench.unit("a", Realm::Live, true),
        bench.unit("b", Realm::Live, true),
    );
    bench.snapshot(&[("notes", &[left]), ("report", &[right])]);
    bench.snapshot(&[("notes", &[left]), ("report", &[])]);
    assert_eq!(bench.count("snapshot"), 2);
    assert_eq!(bench.count("layer_set"), 3);
}

#[test]
fn a_snapshot_lists_the_artifacts_of_its_units() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, "text");
    bench.snapshot(&[("notes", &[unit])]);
    let snapshot = bench.store.newest_snapshot().unwrap().unwrap();
    let found = bench.store.snapshot_artifacts(&snapshot, "notes").unwrap();
    assert_eq!(
        found
            .iter()
            .map(|found| found.artifact.id)
            .collect::<Vec<_>>(),
        [id]
    );
    assert!(
        bench
            .store
            .snapshot_artifacts(&snapshot, "other")
            .unwrap()
            .is_empty()
    );
}
