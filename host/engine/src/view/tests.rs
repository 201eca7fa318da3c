//! Tests of the views with a small state.

use std::collections::BTreeMap;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::fingerprint::source_fingerprint;
use synix_core::ids::{Kind, Label, UnitKey};
use synix_core::request::{Failure, FailureKind, Usage};
use synix_prices::Prices;
use synix_store::{
    AnswerOrigin, BuildId, BuildKind, BuildLayer, NewBuild, NewUnit, Store, UnitId, UnitState,
};

fn new_build(kind: BuildKind) -> NewBuild {
    NewBuild {
        kind,
        pipeline: "synix.toml".to_owned(),
        fingerprint: Digest::of(b"pipeline"),
        parts: "{}".to_owned(),
        answer_origin: AnswerOrigin::Live,
        opened: Timestamp(0),
    }
}

fn state() -> (TempDir, Store, BuildId) {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let build = store
        .write(|tx| tx.open_build(&new_build(BuildKind::Batch)))
        .unwrap();
    store
        .write(|tx| {
            tx.store_build_layer(
                build,
                &BuildLayer {
                    position: 0,
                    name: "notes".to_owned(),
                    mode: None,
                    fresh: 2,
                },
            )
        })
        .unwrap();
    (folder, store, build)
}

fn source(store: &Store, build: BuildId, layer: &str, label: &str) -> UnitId {
    let path = format!("{layer}/{label}.md");
    let digest = Digest::of(path.as_bytes());
    let unit = store
        .write(|tx| {
            tx.store_unit(&NewUnit {
                fingerprint: source_fingerprint(layer, "source", &path, label, digest),
                answer_origin: AnswerOrigin::Live,
                layer,
                key: &UnitKey::parse(label).unwrap(),
                done: true,
                partial: false,
                build,
                parts: &json!({ "path": path, "bytes": digest }).to_string(),
                roles: None,
                log: None,
            })
        })
        .unwrap();
    let artifact = Artifact {
        label: Label::parse(label).unwrap(),
        kind: Kind::parse("source").unwrap(),
        content: Content::Text(path),
        metadata: Metadata::new(),
    };
    store
        .write(|tx| tx.add_artifact(unit, 0, &artifact, artifact.digest().unwrap()))
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
        .write(|tx| tx.take_snapshot(build, "synix.toml", &layers, Timestamp(0)))
        .unwrap();
    (folder, store)
}

#[test]
fn the_status_of_a_build_follows_from_its_rows() {
    let (_folder, store, build) = state();
    let status = || {
        Status::of(&store, build, &Prices::default())
            .unwrap()
            .status
    };
    assert_eq!(status(), "collecting");
    store
        .write(|tx| tx.close_build(build, Some(Timestamp(1))))
        .unwrap();
    assert_eq!(status(), "completed");
    let failure = Failure {
        kind: FailureKind::Empty,
        message: "no text".to_owned(),
        transient: false,
        usage: Usage::default(),
    };
    store
        .write(|tx| tx.store_build_unit(build, 0, "a", UnitState::Failed(&failure)))
        .unwrap();
    assert_eq!(status(), "completed_with_errors");
    store
        .write(|tx| tx.set_build_error(build, Some("no key")))
        .unwrap();
    assert_eq!(status(), "failed");
    store.write(|tx| tx.cancel_build(build)).unwrap();
    assert_eq!(status(), "cancelled");
}

#[test]
fn fresh_units_count_as_done() {
    let (_folder, store, build) = state();
    store
        .write(|tx| tx.store_build_unit(build, 0, "a", UnitState::Waiting))
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

const NEWEST: SnapshotSelection<'_> = SnapshotSelection {
    pipeline: "synix.toml",
    is_certain: true,
    snapshot: None,
};

fn find(store: &Store, name: &str) -> Result<FoundArtifact, FindError> {
    SnapshotView::select(store, &NEWEST)?.find(name)
}

fn layer_of(store: &Store, name: &str) -> String {
    find(store, name).unwrap().artifact.layer
}

/// A build that took a snapshot, and one after it in which the unit `all` failed.
fn failed_since() -> (TempDir, Store) {
    let (folder, store, first) = state();
    let all = vec![source(&store, first, "notes", "all")];
    let layers = |notes: Vec<UnitId>| [("notes".to_owned(), notes)];
    store
        .write(|tx| tx.take_snapshot(first, "synix.toml", &layers(all), Timestamp(0)))
        .unwrap();
    store
        .write(|tx| tx.close_build(first, Some(Timestamp(1))))
        .unwrap();
    let second = store
        .write(|tx| tx.open_build(&new_build(BuildKind::Build)))
        .unwrap();
    let layer = BuildLayer {
        position: 0,
        name: "notes".to_owned(),
        mode: None,
        fresh: 0,
    };
    store
        .write(|tx| tx.store_build_layer(second, &layer))
        .unwrap();
    let failure = Failure {
        kind: FailureKind::Refused,
        message: "declined".to_owned(),
        transient: false,
        usage: Usage::default(),
    };
    store
        .write(|tx| tx.store_build_unit(second, 0, "all", UnitState::Failed(&failure)))
        .unwrap();
    let other = vec![source(&store, second, "notes", "other")];
    store
        .write(|tx| tx.take_snapshot(second, "synix.toml", &layers(other), Timestamp(2)))
        .unwrap();
    store
        .write(|tx| tx.close_build(second, Some(Timestamp(3))))
        .unwrap();
    (folder, store)
}

#[test]
fn the_last_good_artifact_is_shown_with_why_it_is_not_of_the_newest_build() {
    let (_folder, store) = failed_since();
    let found = find(&store, "all").unwrap();
    let stale = StaleInfo {
        newest: "build-2".to_owned(),
        kind: "refused".to_owned(),
        message: "declined".to_owned(),
    };
    assert_eq!(found.build, BuildId(1));
    assert_eq!(found.stale.as_ref(), Some(&stale));
    assert_eq!(find(&store, "other").unwrap().stale, None);
    let view = SnapshotView::select(&store, &NEWEST).unwrap();
    let listed = view.list(Some("notes")).unwrap();
    let marks: Vec<_> = listed
        .iter()
        .map(|one| (one.label.as_str(), one.build.as_str(), one.stale.is_some()))
        .collect();
    assert_eq!(
        marks,
        [("all", "build-1", true), ("other", "build-2", false)]
    );
}

#[test]
fn a_snapshot_is_called_by_its_build_or_by_how_far_back_it_is() {
    let (_folder, store) = failed_since();
    let labels = |snapshot| {
        let selection = SnapshotSelection {
            snapshot: Some(snapshot),
            ..NEWEST
        };
        let view = SnapshotView::select(&store, &selection)?;
        let listed = view.list(None)?;
        Ok::<_, FindError>(listed.into_iter().map(|one| one.label).collect::<Vec<_>>())
    };
    for (name, label) in [
        ("build-1", "all"),
        ("build-2", "other"),
        ("@", "other"),
        ("@-1", "all"),
        ("2", "other"),
    ] {
        assert_eq!(labels(name).unwrap(), [label], "{name}");
    }
    for bad in ["build-3", "@-2", "yesterday", "@1"] {
        assert!(
            matches!(labels(bad), Err(FindError::NoSnapshot { .. })),
            "{bad}"
        );
    }
}

#[test]
fn an_id_is_enough_whole_or_in_part_also_of_an_earlier_version() {
    let (_folder, store) = failed_since();
    let whole = find(&store, "all").unwrap();
    let id = whole.artifact.artifact.digest.to_string();
    assert_eq!(find(&store, &id).unwrap(), whole);
    assert_eq!(find(&store, &id[..12]).unwrap(), whole);
    assert!(matches!(
        find(&store, &id[..3]),
        Err(FindError::NotFound { .. })
    ));
}

#[test]
fn the_beginning_of_a_label_is_enough_where_it_is_of_one() {
    let (_folder, store) = archive();
    assert_eq!(
        find(&store, "notes/20")
            .unwrap()
            .artifact
            .artifact
            .label
            .as_str(),
        "2026/jan"
    );
    assert!(matches!(
        find(&store, "2026"),
        Err(FindError::Ambiguous { .. })
    ));
}

#[test]
fn each_pipeline_has_its_own_newest_snapshot() {
    let (_folder, store, build) = state();
    for (pipeline, label) in [("synix.toml", "one"), ("other.toml", "two")] {
        let units = vec![source(&store, build, "notes", label)];
        let layers = [("notes".to_owned(), units)];
        store
            .write(|tx| tx.take_snapshot(build, pipeline, &layers, Timestamp(0)))
            .unwrap();
    }
    assert!(find(&store, "one").is_ok() && find(&store, "two").is_err());
    let third = SnapshotSelection {
        pipeline: "third.toml",
        ..NEWEST
    };
    let Err(FindError::NotBuilt { known, .. }) = SnapshotView::select(&store, &third) else {
        panic!("found")
    };
    assert_eq!(known, ["other.toml", "synix.toml"]);
}

#[test]
fn the_only_pipeline_is_read_although_its_file_is_gone() {
    let (_folder, store) = archive();
    let gone = SnapshotSelection {
        pipeline: "elsewhere.toml",
        is_certain: false,
        snapshot: None,
    };
    let view = SnapshotView::select(&store, &gone).unwrap();
    assert_eq!(view.pipeline(), Some("synix.toml"));
}

#[test]
fn a_layer_that_is_not_there_names_those_that_are() {
    let (_folder, store) = archive();
    let view = SnapshotView::select(&store, &NEWEST).unwrap();
    let Err(error) = view.list(Some("nots")) else {
        panic!("found")
    };
    assert_eq!(error.to_string(), "there is no layer \"nots\"");
    assert_eq!(
        error.hint().unwrap(),
        "did you mean `notes`? the layers are notes, b"
    );
}

#[test]
fn a_label_with_a_slash_is_found_with_and_without_its_layer() {
    let (_folder, store) = archive();
    assert_eq!(layer_of(&store, "notes/2026/jan"), "notes");
    assert_eq!(layer_of(&store, "notes/b/b"), "notes");
    assert_eq!(layer_of(&store, "b/b"), "b");
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
    let lineage = Lineage::of(
        &store,
        &find(&store, "b/b").unwrap(),
        &Prices::default(),
        &BTreeMap::new(),
        None,
    )
    .unwrap();
    assert!(!lineage.is_truncated);
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
