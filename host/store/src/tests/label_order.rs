//! The order of the labels of a layer.

use super::*;

/// A layer whose units are not in the order of the labels that they made.
fn layer(fixture: &Fixture) -> Snapshot {
    let keys = ["a", "b", "c"];
    let units = keys.map(|key| fixture.unit(key, AnswerOrigin::Live, true));
    for (unit, label) in units.iter().zip(["m", "z", "d"]) {
        let artifact = Artifact {
            label: Label::parse(label).unwrap(),
            ..artifact(label)
        };
        let digest = artifact.digest().unwrap();
        fixture
            .store
            .write(|tx| tx.add_artifact(*unit, 0, &artifact, digest))
            .unwrap();
    }
    fixture.snapshot(&[("notes", &units)]);
    fixture.store.newest_snapshot().unwrap().unwrap()
}

fn labels(store: &Reader, snapshot: &Snapshot) -> Result<Vec<String>, StoreError> {
    let order = store.label_order(snapshot, "notes")?;
    let artifacts = (0..order.len()).map(|position| order.artifact(position));
    let labels =
        artifacts.map(|found| Ok(found?.map_or_else(String::new, |one| one.label.to_string())));
    labels.collect()
}

#[test]
fn artifacts_are_in_the_order_of_their_labels() {
    let fixture = Fixture::new();
    let snapshot = layer(&fixture);
    let store = &fixture.store;
    assert_eq!(labels(store, &snapshot).unwrap(), ["d", "m", "z"]);
    assert_eq!(store.count_layer_artifacts(&snapshot, "notes").unwrap(), 3);
    assert_eq!(store.count_layer_artifacts(&snapshot, "other").unwrap(), 0);
    assert!(store.label_order(&snapshot, "other").unwrap().is_empty());
    let order = store.label_order(&snapshot, "notes").unwrap();
    let found = ["", "d", "e", "z", "zz"].map(|label| {
        (
            order.first_from(label).unwrap(),
            order.first_after(label).unwrap(),
        )
    });
    assert_eq!(found, [(0, 0), (0, 1), (1, 1), (2, 3), (3, 3)]);
    assert_eq!(order.artifact(3).unwrap(), None);
    for (label, count) in [("d", 1), ("e", 0), ("z", 1)] {
        let found = store.labelled_artifacts(&snapshot, "notes", label);
        assert_eq!(found.unwrap().len(), count, "{label}");
    }
}

/// A set from before format 7 is sorted when it is read, and gets its order with the next snapshot.
#[test]
fn a_set_without_an_order_is_sorted() {
    let fixture = Fixture::new();
    let snapshot = layer(&fixture);
    let forget = "UPDATE layer_set SET by_label = NULL, seal = NULL";
    fixture.store.connection.execute_batch(forget).unwrap();
    let store = &fixture.store;
    assert_eq!(labels(store, &snapshot).unwrap(), ["d", "m", "z"]);
    assert_eq!(store.count_layer_artifacts(&snapshot, "notes").unwrap(), 3);
    let found = store.labelled_artifacts(&snapshot, "notes", "m").unwrap();
    assert_eq!(found.len(), 1);
    let units: Vec<UnitId> = store
        .snapshot_units(&snapshot, "notes")
        .unwrap()
        .iter()
        .map(|unit| unit.id)
        .collect();
    fixture.snapshot(&[("notes", &units)]);
    let ordered = "SELECT count(*) FROM layer_set WHERE by_label IS NOT NULL";
    let ordered: u64 = store
        .connection
        .query_row(ordered, [], |row| row.get(0))
        .unwrap();
    assert_eq!(ordered, 1);
}

/// W12: the order says which artifacts a page shows.
#[test]
fn a_changed_order_is_not_read() {
    for change in [
        "UPDATE layer_set SET by_label = zeroblob(24)",
        "UPDATE layer_set SET by_label = substr(by_label, 1, 16)",
        "UPDATE layer_set SET seal = NULL",
        "UPDATE layer_set SET seal = seal + 1",
    ] {
        let fixture = Fixture::new();
        let snapshot = layer(&fixture);
        fixture.store.connection.execute_batch(change).unwrap();
        let read = labels(&fixture.store, &snapshot);
        assert!(
            matches!(read, Err(StoreError::Changed { .. })),
            "{change}: {read:?}"
        );
        assert!(
            fixture
                .store
                .labelled_artifacts(&snapshot, "notes", "m")
                .is_err()
        );
    }
}
