//! Layers whose units are taken from a snapshot without looking at each.

use super::*;

fn layer(name: &str, units: &[UnitId], fingerprint: Option<Digest>) -> NewSnapshotLayer {
    NewSnapshotLayer {
        name: name.to_owned(),
        units: units.to_vec(),
        replaced: Vec::new(),
        fingerprint,
    }
}

impl Fixture {
    fn take(&self, layers: &[NewSnapshotLayer]) -> Snapshot {
        let take =
            |tx: &Transaction<'_>| tx.take_snapshot(self.build, "synix.toml", layers, Timestamp(1));
        let id = self.store.write(take).unwrap();
        let newest = self.store.newest_snapshot().unwrap().unwrap();
        assert_eq!(newest.id, id);
        newest
    }

    fn known(&self, snapshot: &Snapshot, fingerprint: Digest) -> Option<KnownLayer> {
        let known = self.store.known_layer(snapshot, "notes", fingerprint);
        known.unwrap()
    }
}

#[test]
fn a_layer_is_known_by_its_fingerprint_alone() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    fixture.artifact(unit, "text");
    let known = Digest::of(b"known");
    let snapshot = fixture.take(&[
        layer("notes", &[unit], Some(known)),
        layer("other", &[], None),
    ]);
    let found = fixture.known(&snapshot, known).unwrap();
    assert_eq!((found.units, found.artifacts), (vec![unit], 1));
    assert_eq!(fixture.known(&snapshot, Digest::of(b"other")), None);
    let other = fixture.store.known_layer(&snapshot, "other", known);
    assert_eq!(other.unwrap(), None);
}

/// The settings changed and every unit remained fresh.
#[test]
fn a_build_with_the_same_units_replaces_the_fingerprint() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let [old, new] = [&b"old"[..], b"new"].map(Digest::of);
    let first = fixture.take(&[layer("notes", &[unit], Some(old))]);
    let second = fixture.take(&[layer("notes", &[unit], Some(new))]);
    assert_eq!(first.id, second.id);
    assert_eq!(fixture.known(&first, old), None);
    assert!(fixture.known(&first, new).is_some());
    fixture.take(&[layer("notes", &[unit], None)]);
    assert_eq!(fixture.known(&first, new), None);
}

/// The unit is not fresh any more, although a snapshot still has it.
#[test]
fn to_retire_a_finished_unit_deletes_the_fingerprints() {
    let fixture = Fixture::new();
    let [unit, open] = [("a", true), ("b", false)]
        .map(|(name, done)| fixture.unit(name, AnswerOrigin::Live, done));
    let known = Digest::of(b"known");
    let snapshot = fixture.take(&[layer("notes", &[unit], Some(known))]);
    fixture.store.write(|tx| tx.retire_unit(open)).unwrap();
    assert!(
        fixture.known(&snapshot, known).is_some(),
        "no snapshot has it"
    );
    fixture.store.write(|tx| tx.retire_unit(unit)).unwrap();
    assert_eq!(fixture.known(&snapshot, known), None);
}

#[test]
fn a_trial_has_no_fingerprints() {
    let fixture = Fixture::new();
    let unit = fixture.unit("a", AnswerOrigin::Live, true);
    let known = Digest::of(b"known");
    let layers = [layer("notes", &[unit], Some(known))];
    let take = |tx: &Transaction<'_>| {
        tx.take_trial_snapshot(
            fixture.build,
            ("synix.toml", "short"),
            &layers,
            Timestamp(1),
        )
    };
    fixture.store.write(take).unwrap();
    let trial = fixture.store.trial_snapshot("synix.toml", "short").unwrap();
    assert_eq!(fixture.known(&trial.unwrap(), known), None);
}

/// W12: what does not match is not used; the build then looks at each unit.
#[test]
fn a_changed_list_of_units_is_not_used() {
    for change in [
        "DELETE FROM layer_set_unit WHERE position = 1",
        "UPDATE layer_set_unit SET unit = 3 WHERE position = 1",
        "INSERT INTO layer_set_unit VALUES (1, 2, 3)",
        "INSERT INTO layer_set_replaced VALUES (1, 1)",
        "UPDATE layer_set SET digest = zeroblob(32)",
        "UPDATE snapshot_layer SET seal = seal + 1",
        "UPDATE snapshot_layer SET seal = NULL",
        "INSERT INTO layer_set (id, digest) VALUES (2, zeroblob(32)); UPDATE snapshot_layer SET layer_set = 2",
    ] {
        let fixture = Fixture::new();
        let units = ["a", "b", "c"].map(|name| fixture.unit(name, AnswerOrigin::Live, true));
        fixture.artifact(units[0], "text");
        let known = Digest::of(b"known");
        fixture.take(&[layer("notes", &units[..2], Some(known))]);
        fixture.store.connection.execute_batch(change).unwrap();
        let snapshot = fixture.store.newest_snapshot().unwrap().unwrap();
        assert_eq!(fixture.known(&snapshot, known), None, "{change}");
    }
}
