//! Tests of the views with a small state.

mod final_artifacts;
mod find;
mod page;

use std::collections::BTreeMap;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::fixtures::new_build;
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::fingerprint::{SourceVersion, source_fingerprint};
use synix_core::ids::{Kind, Label, UnitKey};
use synix_core::request::{Failure, FailureKind, Usage};
use synix_prices::Prices;
use synix_store::{
    AnswerOrigin, BuildId, BuildKind, BuildLayer, NewBuildUnit, NewUnit, Store, UnitId, UnitState,
};

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
                    skipped: Vec::new(),
                },
            )
        })
        .unwrap();
    (folder, store, build)
}

const fn build_unit<'a>(layer: usize, key: &'a str, state: UnitState<'a>) -> NewBuildUnit<'a> {
    NewBuildUnit {
        layer,
        key,
        state,
        now: Timestamp(5),
    }
}

fn source(store: &Store, build: BuildId, layer: &str, label: &str) -> UnitId {
    let path = format!("{layer}/{label}.md");
    let digest = Digest::of(path.as_bytes());
    let unit = store
        .write(|tx| {
            tx.store_unit(&NewUnit {
                fingerprint: source_fingerprint(
                    SourceVersion::First,
                    (layer, "source"),
                    (&path, label),
                    digest,
                ),
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
    let layers = [
        ("notes".to_owned(), notes).into(),
        ("b".to_owned(), b).into(),
    ];
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
        .write(|tx| tx.store_build_unit(build, &build_unit(0, "a", UnitState::Failed(&failure))))
        .unwrap();
    assert_eq!(status(), "completed_with_errors");
    store
        .write(|tx| tx.set_build_error(build, Some("no key")))
        .unwrap();
    assert_eq!(status(), "failed");
    store
        .write(|tx| tx.cancel_build(build, Timestamp(2)))
        .unwrap();
    assert_eq!(status(), "cancelled");
}

#[test]
fn fresh_units_count_as_done() {
    let (_folder, store, build) = state();
    store
        .write(|tx| tx.store_build_unit(build, &build_unit(0, "a", UnitState::Waiting)))
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

/// A build that took a snapshot, and one after it in which the unit `all` failed.
fn failed_since() -> (TempDir, Store) {
    let (folder, store, first) = state();
    let all = vec![source(&store, first, "notes", "all")];
    let layers = |notes: Vec<UnitId>| [("notes".to_owned(), notes).into()];
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
        skipped: Vec::new(),
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
        .write(|tx| tx.store_build_unit(second, &build_unit(0, "all", UnitState::Failed(&failure))))
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

/// What a service answers is shown as on its own machine.
#[test]
fn documents_are_read_as_they_are_printed() {
    fn assert_same<T: serde::Serialize + serde::de::DeserializeOwned>(document: &T) {
        let printed = serde_json::to_value(document).unwrap();
        let read: T = serde_json::from_value(printed.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), printed);
    }
    let (_folder, store, build) = state();
    let failure = Failure {
        kind: FailureKind::Provider,
        message: "no route".to_owned(),
        transient: true,
        usage: Usage::default(),
    };
    store
        .write(|tx| {
            tx.store_build_unit(build, &build_unit(0, "a", UnitState::Failed(&failure)))?;
            tx.store_build_unit(build, &build_unit(0, "b", UnitState::Done))?;
            tx.add_build_job(build, "job-0123456789ab")?;
            tx.set_build_error(build, Some("no key"))
        })
        .unwrap();
    let status = Status::of(&store, build, &Prices::default()).unwrap();
    assert_eq!(status.job.as_deref(), Some("job-0123456789ab"));
    assert_same(&status);
    let row = store.build(build).unwrap().unwrap();
    let page = synix_store::LogPage {
        after: 0,
        limit: 100,
        since: None,
    };
    let log = BuildLog::of(&store, &row, page).unwrap();
    assert!(log.events.len() > 2, "{log:?}");
    assert_same(&log);
    // The time of the units, and nothing before it.
    let since = synix_store::LogPage {
        since: Some(Timestamp(5)),
        ..page
    };
    let later = BuildLog::of(&store, &row, since).unwrap();
    let all = log.events.iter().filter(|event| event.at >= Timestamp(5));
    assert_eq!(later.events, all.cloned().collect::<Vec<_>>());
    let selection = SnapshotSelection {
        pipeline: "synix.toml",
        is_certain: true,
        snapshot: None,
    };
    let why = ErrorView::from_stored("not planned");
    let overview = Overview::of(Some(&store), &selection, Err(why), &Prices::default()).unwrap();
    assert_same(&overview);
}
