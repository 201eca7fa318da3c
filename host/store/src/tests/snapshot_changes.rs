//! What differs between two snapshots.

use super::*;

/// Takes a snapshot of the layer `notes` and returns it.
fn taken(fixture: &Fixture, units: &[UnitId], replaced: &[ArtifactId]) -> Snapshot {
    let layer = NewSnapshotLayer {
        name: "notes".to_owned(),
        units: units.to_vec(),
        replaced: replaced.to_vec(),
        fingerprint: None,
    };
    fixture
        .store
        .write(|tx| tx.take_snapshot(fixture.build, "synix.toml", &[layer], Timestamp(1)))
        .unwrap();
    fixture.store.newest_snapshot().unwrap().unwrap()
}

/// Returns the artifacts that only the first or only the second snapshot has.
fn changes(fixture: &Fixture, before: &Snapshot, after: &Snapshot) -> [Vec<ArtifactId>; 2] {
    let found = fixture.store.layer_changes(before, after, "notes").unwrap();
    [found.before, found.after].map(|side| side.values().map(|one| one.id).collect())
}

#[test]
fn only_artifacts_of_units_that_differ_are_changes() {
    let fixture = Fixture::new();
    let [shared, old, new] =
        ["shared", "old", "new"].map(|name| fixture.unit(name, AnswerOrigin::Live, true));
    let [_, before, after] =
        [(shared, "1"), (old, "2"), (new, "3")].map(|(unit, text)| fixture.artifact(unit, text));
    let one = taken(&fixture, &[shared, old], &[]);
    let two = taken(&fixture, &[new, shared], &[]);
    assert_eq!(changes(&fixture, &one, &two), [vec![before], vec![after]]);
    assert_eq!(changes(&fixture, &two, &one), [vec![after], vec![before]]);
    assert_eq!(changes(&fixture, &one, &one), [vec![], vec![]]);
}

#[test]
fn a_unit_that_made_the_same_again_is_no_change() {
    let fixture = Fixture::new();
    let [old, new] = ["old", "new"].map(|name| fixture.unit(name, AnswerOrigin::Live, true));
    fixture.artifact(old, "same");
    fixture.artifact(new, "same");
    let one = taken(&fixture, &[old], &[]);
    let two = taken(&fixture, &[new], &[]);
    assert_eq!(changes(&fixture, &one, &two), [vec![], vec![]]);
}

#[test]
fn an_artifact_that_is_replaced_in_one_snapshot_is_a_change() {
    let fixture = Fixture::new();
    let [old, new] = ["old", "new"].map(|name| fixture.unit(name, AnswerOrigin::Live, true));
    let [before, after] = [(old, "1"), (new, "2")].map(|(unit, text)| fixture.artifact(unit, text));
    let one = taken(&fixture, &[old], &[]);
    let two = taken(&fixture, &[old, new], &[before]);
    assert_eq!(changes(&fixture, &one, &two), [vec![before], vec![after]]);
    assert_eq!(fixture.store.count_artifacts(&one).unwrap(), 1);
    assert_eq!(fixture.store.count_artifacts(&two).unwrap(), 1);
    // In the third one it is used again, and the newer one is gone.
    let three = taken(&fixture, &[old], &[]);
    assert_eq!(changes(&fixture, &two, &three), [vec![after], vec![before]]);
}

#[test]
fn a_layer_that_one_snapshot_lacks_is_all_change() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let artifact = fixture.artifact(unit, "1");
    let with = taken(&fixture, &[unit], &[]);
    fixture.snapshot(&[("others", &[unit])]);
    let without = fixture.store.newest_snapshot().unwrap().unwrap();
    assert_eq!(changes(&fixture, &with, &without), [vec![artifact], vec![]]);
    assert_eq!(changes(&fixture, &without, &with), [vec![], vec![artifact]]);
}
