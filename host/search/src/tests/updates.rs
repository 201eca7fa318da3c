//! An index follows its pipeline, and never says anything else than a new one.

use proptest::prelude::*;

use super::*;

/// Searches with a new index in a copy of nothing: the index is deleted first.
fn without_index(project: &Project, query: &str, id: Option<SnapshotId>) -> Answer {
    remove_indexes(project.folder.path()).unwrap();
    project.answer(&search(query), id)
}

#[test]
fn an_index_follows_the_builds() {
    let project = Project::new();
    project.notes(&[("a", "Ann paints"), ("b", "Bob paints")]);
    assert_eq!(project.labels("paints"), ["a", "b"]);
    let second = project.notes(&[("a", "Ann sings"), ("c", "Cleo paints")]);
    assert_eq!(project.labels("paints"), ["c"]);
    assert_eq!(project.labels("sings"), ["a"]);
    let first = SnapshotId(second.0 - 1);
    assert_eq!(
        labels(&project.answer(&search("paints"), Some(first))),
        ["a", "b"]
    );
    // The index stays at the newest snapshot.
    assert_eq!(project.labels("paints"), ["c"]);
}

#[test]
fn after_clean_the_index_does_not_mistake_numbers() {
    let project = Project::new();
    project.notes(&[("a", "Ann paints"), ("b", "Bob paints")]);
    assert_eq!(project.labels("paints"), ["a", "b"]);
    project.store.write(|tx| tx.delete_units()).unwrap();
    // Units and artifacts get the numbers of those that were deleted.
    project.notes(&[("c", "Cleo paints"), ("b", "Bob paints")]);
    assert_eq!(project.labels("paints"), ["b", "c"]);
    assert_eq!(project.labels("ann"), [""; 0]);
}

#[test]
fn two_states_of_one_folder_are_not_mistaken() {
    let project = Project::new();
    project.notes(&[("a", "Ann paints")]);
    assert_eq!(project.labels("paints"), ["a"]);
    let other = Project::new();
    other.time.set(77);
    other.notes(&[("b", "Bob paints")]);
    let from = project.folder.path().join("index");
    let to = other.folder.path().join("index");
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    assert_eq!(other.labels("paints"), ["b"]);
}

#[test]
fn two_searches_at_once_find_the_same() {
    let project = Project::new();
    project.notes(&[("a", "Ann paints"), ("b", "Bob paints")]);
    let folder = project.folder.path();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let reader = synix_store::Reader::open(folder).unwrap();
                let snapshot = reader.newest_snapshot().unwrap().unwrap();
                let found = crate::search(&reader, &snapshot, &search("paints"), None, &|_| {});
                assert_eq!(labels(&found.unwrap()), ["a", "b"]);
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn an_updated_index_is_equal_to_a_new_one(
        builds in prop::collection::vec(prop::collection::btree_map("[a-d]", "[a-c ]{0,8}", 0..4), 1..5),
        query in "[a-c]( [a-c])?",
    ) {
        let project = Project::new();
        let mut ids = Vec::new();
        for build in &builds {
            let notes: Vec<(&str, &str)> = build.iter().map(|(label, content)| (label.as_str(), content.as_str())).collect();
            ids.push(project.notes(&notes));
            project.answer(&search(&query), None);
        }
        let updated: Vec<Answer> = ids.iter().map(|id| project.answer(&search(&query), Some(*id))).collect();
        for (id, updated) in ids.iter().zip(updated) {
            let new = without_index(&project, &query, Some(*id));
            prop_assert_eq!((new.connection, new.results), (updated.connection, updated.results));
        }
    }
}
