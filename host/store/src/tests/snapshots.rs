//! Snapshots and their sets of units.

use super::*;

#[test]
fn a_snapshot_equal_to_the_newest_is_not_repeated() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let first = fixture.snapshot(&[("notes", &[unit])]);
    assert_eq!(fixture.snapshot(&[("notes", &[unit])]), first);
}

#[test]
fn a_snapshot_that_differs_is_a_new_one() {
    let fixture = Fixture::new();
    let units = [
        fixture.unit("a", AnswerOrigin::Live, true),
        fixture.unit("b", AnswerOrigin::Live, true),
    ];
    let first = fixture.snapshot(&[("notes", &units)]);
    assert_ne!(fixture.snapshot(&[("notes", &units[..1])]), first);
}

#[test]
fn equal_layers_of_two_snapshots_share_a_set() {
    let fixture = Fixture::new();
    let (left, right) = (
        fixture.unit("a", AnswerOrigin::Live, true),
        fixture.unit("b", AnswerOrigin::Live, true),
    );
    fixture.snapshot(&[("notes", &[left]), ("report", &[right])]);
    fixture.snapshot(&[("notes", &[left]), ("report", &[])]);
    assert_eq!(fixture.count("snapshot"), 2);
    assert_eq!(fixture.count("layer_set"), 3);
}

#[test]
fn a_snapshot_lists_the_artifacts_of_its_units() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let id = fixture.artifact(unit, "text");
    fixture.snapshot(&[("notes", &[unit])]);
    let snapshot = fixture.store.newest_snapshot().unwrap().unwrap();
    let found = fixture
        .store
        .snapshot_artifacts(&snapshot, "notes")
        .unwrap();
    assert_eq!(
        found
            .iter()
            .map(|found| found.artifact.id)
            .collect::<Vec<_>>(),
        [id]
    );
    assert!(
        fixture
            .store
            .snapshot_artifacts(&snapshot, "other")
            .unwrap()
            .is_empty()
    );
}

/// An older export has a conversation, too.
#[test]
fn a_replaced_artifact_is_not_listed_but_remains_an_output() {
    let fixture = Fixture::new();
    let units = [
        fixture.unit("a", AnswerOrigin::Live, true),
        fixture.unit("b", AnswerOrigin::Live, true),
    ];
    let [old, new] = units.map(|unit| fixture.artifact(unit, "text"));
    let layer = NewSnapshotLayer {
        name: "notes".to_owned(),
        units: units.to_vec(),
        replaced: vec![old],
        fingerprint: None,
    };
    let take = |layer: &NewSnapshotLayer| {
        let layers = [layer.clone()];
        fixture
            .store
            .write(|tx| tx.take_snapshot(fixture.build, "synix.toml", &layers, Timestamp(1)))
            .unwrap()
    };
    let first = take(&layer);
    assert_eq!(take(&layer), first);
    let snapshot = fixture.store.newest_snapshot().unwrap().unwrap();
    let listed = fixture
        .store
        .snapshot_artifacts(&snapshot, "notes")
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].artifact.id, new);
    let label = listed[0].artifact.label.as_str();
    let labelled = fixture.store.labelled_artifacts(&snapshot, "notes", label);
    assert_eq!(labelled.unwrap(), listed);
    let mut outputs = 0;
    let count = |_| outputs += 1;
    fixture
        .store
        .for_each_snapshot_output(&snapshot, "notes", count)
        .unwrap();
    assert_eq!(outputs, 2);
    // Another choice among the same units is another snapshot.
    let other = NewSnapshotLayer {
        replaced: vec![new],
        ..layer
    };
    assert_ne!(take(&other), first);
}

/// The snapshot of a trial has the name of the trial and is never the newest one.
#[test]
fn a_trial_does_not_replace_the_newest_snapshot() {
    let fixture = Fixture::new();
    let units = [
        fixture.unit("a", AnswerOrigin::Live, true),
        fixture.unit("b", AnswerOrigin::Live, true),
    ];
    let whole = fixture.snapshot(&[("notes", &units)]);
    let trial = fixture.trial_snapshot("short", &[("notes", &units[..1])]);
    let newest = fixture.store.newest_snapshot().unwrap().unwrap();
    assert_eq!((newest.id, newest.name), (whole, None));
    let newest = fixture.store.newest_snapshot_of("synix.toml").unwrap();
    assert_eq!(newest.unwrap().id, whole);
    // A build of the whole that changes nothing still has the snapshot before the trial.
    assert_eq!(fixture.snapshot(&[("notes", &units)]), whole);
    let all = fixture.store.snapshots().unwrap();
    let names: Vec<_> = all
        .iter()
        .map(|one| (one.id, one.name.as_deref()))
        .collect();
    assert_eq!(names, [(trial, Some("short")), (whole, None)]);
}

#[test]
fn a_trial_replaces_the_earlier_one_of_the_same_name() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let first = fixture.trial_snapshot("short", &[("notes", &[unit])]);
    let second = fixture.trial_snapshot("short", &[("notes", &[])]);
    assert_ne!(first, second);
    assert_eq!(fixture.store.snapshots().unwrap().len(), 1);
    assert!(fixture.store.newest_snapshot().unwrap().is_none());
}
