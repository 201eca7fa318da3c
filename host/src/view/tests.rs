//! The views over a small state, written row by row.

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::artifact::{Artifact, Content, Metadata};
use crate::clock::Moment;
use crate::digest::Digest;
use crate::fingerprint::source_fingerprint;
use crate::ids::{Kind, Label, UnitKey};
use crate::price::Prices;
use crate::request::{Failure, FailureKind, Usage};
use crate::store::{
    BuildId, BuildKind, BuildLayer, BuildRow, NewUnit, Realm, Store, UnitId, UnitState,
};

fn state() -> (TempDir, Store, BuildId) {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let build = store
        .open_build(&BuildRow::blank(), BuildKind::Batch)
        .unwrap();
    store
        .keep_build_layer(
            build,
            &BuildLayer {
                position: 0,
                name: "notes".to_owned(),
                mode: None,
                fresh: 2,
            },
        )
        .unwrap();
    (folder, store, build)
}

fn source(store: &Store, build: BuildId, layer: &str, label: &str) -> UnitId {
    let path = format!("{layer}/{label}.md");
    let digest = Digest::of(path.as_bytes());
    let unit = store
        .keep_unit(&NewUnit {
            fingerprint: source_fingerprint(layer, "source", &path, label, digest),
            realm: Realm::Live,
            layer,
            key: &UnitKey::parse(label).unwrap(),
            done: true,
            partial: false,
            build,
            parts: &json!({ "path": path, "bytes": digest }).to_string(),
            roles: None,
            log: None,
        })
        .unwrap();
    let artifact = Artifact {
        label: Label::parse(label).unwrap(),
        kind: Kind::parse("source").unwrap(),
        content: Content::Text(path),
        metadata: Metadata::new(),
    };
    store
        .add_artifact(unit, 0, &artifact, artifact.digest().unwrap())
        .unwrap();
    unit
}

fn archive() -> (TempDir, Store) {
    let (folder, store, build) = state();
    let notes = vec![
        source(&store, build, "notes", "2026/jan"),
        source(&store, build, "notes", "b/b"),
    ];
    let b = vec![
        source(&store, build, "b", "b"),
        source(&store, build, "b", "2026/jan"),
    ];
    let layers = [("notes".to_owned(), notes), ("b".to_owned(), b)];
    store
        .take_snapshot(build, "synix.toml", &layers, Moment(0))
        .unwrap();
    (folder, store)
}

#[test]
fn the_status_of_a_build_follows_from_its_rows() {
    let (_folder, store, build) = state();
    let word = || {
        Status::of(&store, build, &Prices::default())
            .unwrap()
            .status
    };
    assert_eq!(word(), "collecting");
    store.close_build(build, Some(Moment(1))).unwrap();
    assert_eq!(word(), "completed");
    let failure = Failure {
        kind: FailureKind::Empty,
        message: "no text".to_owned(),
        passing: false,
        usage: Usage::default(),
    };
    store
        .keep_build_unit(build, 0, "a", UnitState::Failed, Some(&failure))
        .unwrap();
    assert_eq!(word(), "completed_with_errors");
    store.keep_build_error(build, Some("no key")).unwrap();
    assert_eq!(word(), "failed");
    store.cancel_build(build).unwrap();
    assert_eq!(word(), "cancelled");
}

#[test]
fn fresh_units_count_as_done() {
    let (_folder, store, build) = state();
    store
        .keep_build_unit(build, 0, "a", UnitState::Waiting, None)
        .unwrap();
    let layer = Status::of(&store, build, &Prices::default())
        .unwrap()
        .layers
        .remove(0);
    assert_eq!(
        (layer.units, layer.done, layer.waiting, layer.failed),
        (3, 2, 1, 0)
    );
}

#[test]
fn a_label_with_a_slash_is_found_with_and_without_its_layer() {
    let (_folder, store) = archive();
    assert_eq!(find(&store, "notes/2026/jan").unwrap().layer, "notes");
    assert_eq!(find(&store, "notes/b/b").unwrap().layer, "notes");
    assert_eq!(find(&store, "b/b").unwrap().layer, "b");
}

#[test]
fn a_label_in_several_layers_names_its_candidates() {
    let (_folder, store) = archive();
    let Err(FindError::Ambiguous { candidates, .. }) = find(&store, "2026/jan") else {
        panic!("not ambiguous")
    };
    assert_eq!(candidates, ["notes/2026/jan", "b/2026/jan"]);
}

#[test]
fn a_slip_of_the_finger_is_offered_the_nearest_name() {
    let (_folder, store) = archive();
    let Err(FindError::NotFound { nearest, .. }) = find(&store, "notes/2026/jam") else {
        panic!("found")
    };
    assert_eq!(nearest.as_deref(), Some("notes/2026/jan"));
}

#[test]
fn the_lineage_of_a_source_ends_at_its_file() {
    let (_folder, store) = archive();
    let lineage = Lineage::of(&store, &find(&store, "b/b").unwrap(), &Prices::default()).unwrap();
    assert_eq!(
        serde_json::to_value(&lineage.nodes[1]).unwrap()["type"],
        "source_file"
    );
    let edge = Edge {
        from: "source_file:b/b.md".to_owned(),
        to: "artifact:b/b".to_owned(),
        role: "source".to_owned(),
    };
    assert_eq!(lineage.edges, [edge]);
}
