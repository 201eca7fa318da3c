//! Tests of indexes with real states.

mod damage;
mod release;
mod scripts;
mod updates;
mod vectors;

use serde_json::{Value, json};
use synix_core::artifact::Artifact;
use synix_store::{ArtifactId, Snapshot, SnapshotId, Store};

use super::*;
use crate::testing::text;

/// A state whose layers are replaced as a whole.
struct Project {
    folder: tempfile::TempDir,
    store: Store,
    time: std::cell::Cell<u64>,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        Self {
            folder,
            store,
            time: std::cell::Cell::new(1),
        }
    }

    fn build(&self, layers: &[(&str, &[Artifact])]) -> SnapshotId {
        let layers: Vec<testing::Layer> = layers
            .iter()
            .map(|(name, artifacts)| {
                let artifacts = artifacts.iter().map(|one| (one.clone(), Vec::new()));
                ((*name).to_owned(), artifacts.collect())
            })
            .collect();
        self.build_from(&layers)
    }

    fn build_from(&self, layers: &[testing::Layer]) -> SnapshotId {
        let time = self.time.get();
        self.time.set(time + 1);
        testing::build(&self.store, layers, time).unwrap()
    }

    fn notes(&self, notes: &[(&str, &str)]) -> SnapshotId {
        let notes: Vec<Artifact> = notes
            .iter()
            .map(|(label, content)| text(label, content, json!({})))
            .collect();
        self.build(&[("notes", &notes)])
    }

    fn snapshot(&self, id: Option<SnapshotId>) -> Snapshot {
        let all = self.store.snapshots().unwrap();
        let wanted = |one: &Snapshot| id.is_none_or(|id| one.id == id);
        all.into_iter().find(wanted).unwrap()
    }

    fn answer(&self, search: &Search, id: Option<SnapshotId>) -> Answer {
        let snapshot = self.snapshot(id);
        crate::search(&self.store, &snapshot, search, None, &|_| {}).unwrap()
    }

    /// Searches the newest snapshot, and returns the labels.
    fn labels(&self, query: &str) -> Vec<String> {
        labels(&self.answer(&search(query), None))
    }

    fn only_artifact(&self, layer: &str, label: &str) -> ArtifactId {
        let found = self
            .store
            .labelled_artifacts(&self.snapshot(None), layer, label);
        found.unwrap()[0].artifact.id
    }
}

fn search(query: &str) -> Search {
    Search {
        query: query.to_owned(),
        layers: Vec::new(),
        conditions: Vec::new(),
        mode: None,
        limit: 10,
    }
}

fn labels(answer: &Answer) -> Vec<String> {
    let labels = answer.results.iter().map(|result| result.label.clone());
    labels.collect()
}

fn why(answer: &Answer) -> Value {
    serde_json::to_value(&answer.results[0].why).unwrap()
}

#[test]
fn a_result_says_what_it_is_and_why() {
    let project = Project::new();
    let metadata = json!({"title": "About Ann", "month": "2024-01", "by": "Bob"});
    project.build(&[
        (
            "notes",
            &[text("ann", "Ann paints a house.", metadata.clone())],
        ),
        ("other", &[text("zoe", "Zoe dances.", json!({}))]),
    ]);
    let answer = project.answer(&search("ann bob"), None);
    let result = &answer.results[0];
    assert_eq!(
        (result.layer.as_str(), result.kind.as_str()),
        ("notes", "note")
    );
    assert_eq!(serde_json::to_value(&result.metadata).unwrap(), metadata);
    assert_eq!(result.snippet.text(), "Ann paints a house.");
    assert_eq!(result.sources.labels, ["ann"]);
    assert_eq!(answer.connection, Match::All);
    assert_eq!(
        why(&answer),
        json!({"terms": [
            {"term": "ann", "in": ["label", "title", "content"]},
            {"term": "bob", "in": ["metadata"]},
        ], "words_rank": 1})
    );
}

#[test]
fn sources_are_those_that_an_artifact_was_made_from() {
    let project = Project::new();
    let notes = ["a", "b", "c"].map(|label| text(label, "a note", json!({})));
    project.build(&[("notes", &notes)]);
    let id = |label| project.only_artifact("notes", label);
    let summary = text("sum", "a summary", json!({}));
    let notes: Vec<_> = notes.into_iter().map(|note| (note, Vec::new())).collect();
    let layers = vec![
        ("notes".to_owned(), notes.clone()),
        ("sums".to_owned(), vec![(summary, vec![id("a"), id("c")])]),
    ];
    project.build_from(&layers);
    let sum = project.only_artifact("sums", "sum");
    let report = text("report", "a report", json!({}));
    let mut layers = layers;
    layers.push(("reports".to_owned(), vec![(report, vec![sum])]));
    project.build_from(&layers);
    let answer = project.answer(&search("report"), None);
    assert_eq!(answer.results[0].sources.labels, ["a", "c"]);
}

#[test]
fn filters_restrict_layers_and_metadata() {
    let project = Project::new();
    let note = |label: &str, month: &str| {
        text(
            label,
            "a word",
            json!({"month": month, "tags": ["x", label]}),
        )
    };
    project.build(&[
        ("one", &[note("a", "01"), note("b", "02")]),
        ("two", &[note("c", "01")]),
    ]);
    let found = |layers: &[&str], conditions: &[(&str, &str)]| {
        let condition = |(key, value): &(&str, &str)| Condition {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        let search = Search {
            layers: layers.iter().map(|&layer| layer.to_owned()).collect(),
            conditions: conditions.iter().map(condition).collect(),
            ..search("word")
        };
        labels(&project.answer(&search, None))
    };
    assert_eq!(found(&[], &[]), ["a", "b", "c"]);
    assert_eq!(found(&["one"], &[]), ["a", "b"]);
    assert_eq!(found(&["one", "two"], &[("month", "01")]), ["a", "c"]);
    assert_eq!(found(&[], &[("month", "01"), ("tags", "c")]), ["c"]);
    assert_eq!(found(&[], &[("month", "0")]), [""; 0]);
}

#[test]
fn names_weigh_more_than_texts_and_equal_results_are_sorted() {
    let project = Project::new();
    let mut notes = vec![
        text("z", "nothing but filler here", json!({"title": "house"})),
        text("m", "a house of filler here", json!({})),
    ];
    notes.extend(
        ["d", "b", "c", "a"].map(|label| text(label, "the same text about ships", json!({}))),
    );
    project.build(&[("notes", &notes)]);
    assert_eq!(project.labels("house"), ["z", "m"]);
    assert_eq!(project.labels("ships"), ["a", "b", "c", "d"]);
    let answer = project.answer(
        &Search {
            limit: 3,
            ..search("ships")
        },
        None,
    );
    assert_eq!((labels(&answer).len(), answer.has_more), (3, true));
}

#[test]
fn if_no_artifact_has_all_words_those_with_any_are_found() {
    let project = Project::new();
    project.notes(&[("a", "Ann paints"), ("b", "Bob bakes"), ("c", "Cleo sings")]);
    let answer = project.answer(&search("paints bakes"), None);
    assert_eq!((labels(&answer).len(), answer.connection), (2, Match::Any));
    assert_eq!(project.labels("-paints"), [""; 0]);
    assert_eq!(project.labels("\"ann paints\""), ["a"]);
    assert_eq!(project.labels("\"paints ann\""), [""; 0]);
    assert_eq!(project.labels("pai*"), ["a"]);
    assert_eq!(project.labels("ann bob cleo -bakes"), ["a", "c"]);
    assert_eq!(project.labels("..."), [""; 0]);
}
