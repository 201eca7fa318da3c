//! Tests of snapshots and of names in them.

use super::*;

fn layer_of(store: &Store, name: &str) -> String {
    find(store, name).unwrap().artifact.layer
}

#[test]
fn the_last_good_artifact_is_found_with_the_reason_why_it_is_stale() {
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
fn a_snapshot_is_found_by_its_build_or_its_position() {
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
fn an_artifact_is_found_by_its_id_or_a_prefix_of_it() {
    let (_folder, store) = failed_since();
    let complete = find(&store, "all").unwrap();
    let id = complete.artifact.artifact.digest.to_string();
    assert_eq!(find(&store, &id).unwrap(), complete);
    assert_eq!(find(&store, &id[..12]).unwrap(), complete);
    assert!(matches!(
        find(&store, &id[..3]),
        Err(FindError::NotFound { .. })
    ));
}

#[test]
fn a_unique_prefix_of_a_label_is_enough() {
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
        let layers = [("notes".to_owned(), units).into()];
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
fn the_only_pipeline_is_read_even_without_its_file() {
    let (_folder, store) = archive();
    let missing = SnapshotSelection {
        pipeline: "elsewhere.toml",
        is_certain: false,
        snapshot: None,
    };
    let view = SnapshotView::select(&store, &missing).unwrap();
    assert_eq!(view.pipeline(), Some("synix.toml"));
}

#[test]
fn the_error_for_an_unknown_layer_names_the_known_ones() {
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
fn a_typo_is_answered_with_the_nearest_name() {
    let (_folder, store) = archive();
    let Err(FindError::NotFound { nearest, .. }) = find(&store, "notes/2026/jam") else {
        panic!("found")
    };
    assert_eq!(nearest.as_deref(), Some("notes/2026/jan"));
}
