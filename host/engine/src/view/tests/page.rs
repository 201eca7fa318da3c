//! Tests of pages of a layer.

use super::*;

/// Returns the labels of all pages, and checks what each page says about itself.
fn labels(view: &SnapshotView<'_>, limit: usize) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    let mut starts: Vec<Option<String>> = vec![None];
    loop {
        let after = starts.last().cloned().flatten();
        let page = view.page("notes", after.as_deref(), limit).unwrap();
        assert_eq!(page.before, labels.len() as u64);
        let previous = match starts.len() {
            1 => None,
            count => Some(starts[count - 2].clone().unwrap_or_default()),
        };
        assert_eq!(page.previous, previous, "{starts:?}");
        labels.extend(page.artifacts.iter().map(|one| one.label.clone()));
        assert_eq!(page.more, (labels.len() as u64) < page.total);
        if !page.more {
            return labels;
        }
        starts.push(labels.last().cloned());
    }
}

#[test]
fn the_pages_of_a_layer_are_its_list() {
    let (_folder, store, build) = state();
    let names = ["e", "b", "é", "a/1", "d", "a", "Z"];
    let notes: Vec<_> = names
        .iter()
        .map(|name| source(&store, build, "notes", name))
        .collect();
    let layers = [("notes".to_owned(), notes).into()];
    store
        .write(|tx| tx.take_snapshot(build, "synix.toml", &layers, Timestamp(0)))
        .unwrap();
    let view = SnapshotView::select(&store, &NEWEST).unwrap();
    let listed = view.list(Some("notes")).unwrap();
    let listed: Vec<String> = listed.into_iter().map(|one| one.label).collect();
    for limit in 1..=8 {
        assert_eq!(labels(&view, limit), listed, "{limit}");
    }
}

#[test]
fn a_page_begins_after_a_label_that_does_not_exist() {
    let (_folder, store) = archive();
    let view = SnapshotView::select(&store, &NEWEST).unwrap();
    let page = |after| view.page("notes", Some(after), 10).unwrap();
    let after = page("a");
    assert_eq!(
        (after.before, after.total, after.artifacts.len()),
        (1, 2, 1)
    );
    assert_eq!(after.artifacts[0].label, "b/b");
    assert_eq!(after.previous.as_deref(), Some(""));
    let last = page("zz");
    assert_eq!(
        (last.before, last.artifacts.len(), last.more),
        (2, 0, false)
    );
}

/// The earlier artifacts of failed units are in the order of all labels.
#[test]
fn a_page_has_the_last_good_artifacts_of_failed_units() {
    let (_folder, store) = failed_since();
    let view = SnapshotView::select(&store, &NEWEST).unwrap();
    let listed = view.list(Some("notes")).unwrap();
    for limit in 1..=3 {
        let first = view.page("notes", None, limit).unwrap();
        assert_eq!(first.artifacts, listed[..limit.min(2)]);
        assert_eq!(first.total, 2);
        assert_eq!(labels(&view, limit), ["all", "other"]);
    }
}

#[test]
fn a_page_of_an_unknown_layer_names_the_nearest() {
    let (_folder, store) = archive();
    let view = SnapshotView::select(&store, &NEWEST).unwrap();
    match view.page("note", None, 1) {
        Err(FindError::NoLayer { nearest, .. }) => assert_eq!(nearest.as_deref(), Some("notes")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn builds_are_listed_in_pages() {
    let (_folder, store, _) = state();
    for kind in [BuildKind::Build, BuildKind::Batch, BuildKind::Build] {
        store.write(|tx| tx.open_build(&new_build(kind))).unwrap();
    }
    let all = builds(&store, None).unwrap();
    let first = build_page(&store, None, None, 3).unwrap();
    assert_eq!((&first.builds[..], first.more), (&all[..3], true));
    let second = build_page(&store, None, Some(BuildId(2)), 3).unwrap();
    assert_eq!((&second.builds[..], second.more), (&all[3..], false));
    let batch = build_page(&store, Some(BuildKind::Batch), None, 1).unwrap();
    assert_eq!(
        (batch.builds[0].build.as_str(), batch.more),
        ("build-3", true)
    );
}
