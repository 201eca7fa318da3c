//! Searches by meaning: exact, and with the text as the result.

use proptest::prelude::*;
use synix_core::artifact::{Content, Metadata};
use synix_core::ids::{Kind, Label};

use super::*;

type Vectors<'a> = &'a [(&'a str, Vec<f32>)];

fn embedding(label: &str, model: &str, vector: &[f32]) -> Artifact {
    let metadata = json!({"model": model, "dimensions": vector.len()});
    Artifact {
        label: Label::parse(label).unwrap(),
        kind: Kind::parse("embedding").unwrap(),
        content: Content::Bytes {
            media_type: "application/vnd.synix.f32".to_owned(),
            data: vector.iter().flat_map(|one| one.to_le_bytes()).collect(),
        },
        metadata: serde_json::from_value::<Metadata>(metadata).unwrap(),
    }
}

impl Project {
    /// Builds notes, and a layer of embeddings of each model.
    fn embedded(&self, notes: &[(&str, &str)], models: &[(&str, Vectors<'_>)]) {
        let texts: Vec<_> = notes
            .iter()
            .map(|(label, content)| (text(label, content, json!({"n": label})), Vec::new()))
            .collect();
        let mut layers = vec![("notes".to_owned(), texts)];
        self.build_from(&layers);
        for (model, vectors) in models {
            let embeddings = vectors.iter().map(|(label, vector)| {
                let about = self.only_artifact("notes", label);
                (embedding(label, model, vector), vec![about])
            });
            layers.push((format!("by-{model}"), embeddings.collect()));
        }
        self.build_from(&layers);
    }

    fn nearest(&self, search: &Search, query: &[f32]) -> Answer {
        let snapshot = self.snapshot(None);
        let embed = |_: &Space, _: &str| Ok(query.to_vec());
        crate::search(&self.store, &snapshot, search, Some(&embed), &|_| {}).unwrap()
    }
}

fn by(mode: Mode, query: &str) -> Search {
    Search {
        mode: Some(mode),
        ..search(query)
    }
}

const NOTES: [(&str, &str); 3] = [
    ("a", "ships at sea"),
    ("b", "a house"),
    ("c", "boats and ships"),
];

fn three() -> Vec<(&'static str, Vec<f32>)> {
    vec![
        ("a", vec![1.0, 0.0]),
        ("b", vec![0.0, 2.0]),
        ("c", vec![3.0, 1.0]),
    ]
}

#[test]
fn the_nearest_texts_are_found_not_their_vectors() {
    let project = Project::new();
    project.embedded(&NOTES, &[("m", &three())]);
    let answer = project.nearest(&by(Mode::Meaning, "vessels"), &[1.0, 0.1]);
    assert_eq!(labels(&answer), ["a", "c", "b"]);
    let first = &answer.results[0];
    assert_eq!(
        (first.layer.as_str(), first.kind.as_str()),
        ("notes", "note")
    );
    assert_eq!(first.why.meaning_rank, Some(1));
    assert!((first.why.similarity.unwrap() - 0.995).abs() < 1e-3);
    assert_eq!(first.why.words_rank, None);
    let filtered = Search {
        conditions: vec!["n=b".parse().unwrap()],
        ..by(Mode::Meaning, "vessels")
    };
    assert_eq!(labels(&project.nearest(&filtered, &[1.0, 0.1])), ["b"]);
    assert_eq!(
        labels(&project.nearest(&by(Mode::Meaning, "vessels -boats"), &[1.0, 0.1])),
        ["a", "b"]
    );
}

#[test]
fn hybrid_is_the_default_where_there_are_embeddings() {
    let project = Project::new();
    project.embedded(&NOTES, &[("m", &three())]);
    let answer = project.nearest(&search("house ships"), &[3.0, 1.0]);
    assert_eq!(answer.mode, Mode::Hybrid);
    let ranks: Vec<_> = answer
        .results
        .iter()
        .map(|one| (one.label.as_str(), one.why.words_rank, one.why.meaning_rank))
        .collect();
    assert_eq!(ranks.len(), 3, "{ranks:?}");
    for (label, words, meaning) in ranks {
        let expected = match label {
            "c" => 1,
            "a" => 2,
            _ => 3,
        };
        assert_eq!(meaning, Some(expected), "{label}");
        assert!(words.is_some(), "{label}");
    }
    // Without a model, words are compared, and the answer says why.
    let failing = |_: &Space, _: &str| Err("no key".into());
    let snapshot = project.snapshot(None);
    let answer = crate::search(
        &project.store,
        &snapshot,
        &search("house"),
        Some(&failing),
        &|_| {},
    )
    .unwrap();
    assert_eq!(
        (answer.mode, labels(&answer)),
        (Mode::Words, vec!["b".to_owned()])
    );
    assert!(matches!(
        answer.unused_embeddings,
        Some(SearchError::Embed(_))
    ));
    let asked = crate::search(
        &project.store,
        &snapshot,
        &by(Mode::Hybrid, "house"),
        Some(&failing),
        &|_| {},
    );
    assert!(matches!(asked, Err(SearchError::Embed(_))));
}

#[test]
fn vectors_of_different_models_are_not_compared() {
    let project = Project::new();
    let other = vec![("a", vec![0.0, 1.0, 0.0]), ("b", vec![1.0, 0.0, 0.0])];
    project.embedded(&NOTES, &[("m", &three()), ("k", &other)]);
    let snapshot = project.snapshot(None);
    let asked = std::cell::RefCell::new(Vec::new());
    let embed = |space: &Space, text: &str| {
        asked
            .borrow_mut()
            .push((space.layer.clone(), text.to_owned()));
        Ok(vec![1.0; space.dimensions])
    };
    let answer = crate::search(
        &project.store,
        &snapshot,
        &by(Mode::Meaning, "x"),
        Some(&embed),
        &|_| {},
    )
    .unwrap();
    assert_eq!(answer.results.len(), 3);
    assert_eq!(
        *asked.borrow(),
        [
            ("by-k".to_owned(), "x".to_owned()),
            ("by-m".to_owned(), "x".to_owned())
        ]
    );
    let only = Search {
        layers: vec!["by-k".to_owned()],
        ..by(Mode::Meaning, "x")
    };
    let answer = crate::search(&project.store, &snapshot, &only, Some(&embed), &|_| {}).unwrap();
    assert_eq!(labels(&answer), ["a", "b"]);
}

#[test]
fn vectors_follow_the_builds() {
    let project = Project::new();
    project.embedded(&NOTES, &[("m", &three())]);
    let found = |project: &Project| labels(&project.nearest(&by(Mode::Meaning, "x"), &[0.0, 1.0]));
    assert_eq!(found(&project), ["b", "c", "a"]);
    project.embedded(
        &NOTES[..2],
        &[("m", &[("a", vec![0.0, 1.0]), ("b", vec![1.0, 0.0])])],
    );
    assert_eq!(found(&project), ["a", "b"]);
    project.store.write(|tx| tx.delete_units()).unwrap();
    project.embedded(
        &NOTES[1..],
        &[("m", &[("b", vec![0.0, 1.0]), ("c", vec![1.0, 0.0])])],
    );
    assert_eq!(found(&project), ["b", "c"]);
}

#[test]
fn a_changed_index_of_vectors_is_made_again() {
    for planted in [
        "UPDATE place SET about_label = 'b'",
        "UPDATE place SET about_label = 'b', about = (SELECT about FROM place WHERE about_label = 'b')",
        "UPDATE place SET digest = x'00'",
        "UPDATE place SET about = 99",
        "UPDATE chunk SET places = x'01'",
        "UPDATE chunk_vectors SET vectors = x''",
        "DELETE FROM place",
    ] {
        let project = Project::new();
        project.embedded(&NOTES, &[("m", &three())]);
        let query = by(Mode::Meaning, "x");
        assert_eq!(
            labels(&project.nearest(&query, &[0.0, 1.0])),
            ["b", "c", "a"]
        );
        for entry in std::fs::read_dir(project.folder.path().join("index")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().contains("vectors-") {
                rusqlite::Connection::open(path)
                    .unwrap()
                    .execute_batch(planted)
                    .unwrap();
            }
        }
        let answer = project.nearest(&query, &[0.0, 1.0]);
        // What was removed may be missing. What is found is right.
        for result in &answer.results {
            let expected = ["b", "c", "a"].into_iter().zip([1.0, 0.316, 0.0]);
            let expected = expected
                .into_iter()
                .find(|(label, _)| *label == result.label);
            let cosine = expected.map(|(_, cosine)| cosine).unwrap();
            assert!(
                (result.score - cosine).abs() < 1e-3,
                "{planted}: {result:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn the_result_is_that_of_comparing_every_vector(
        vectors in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 8), 1..60),
        query in prop::collection::vec(-1.0_f32..1.0, 8),
        max in 1_usize..8,
    ) {
        let project = Project::new();
        let names: Vec<String> = (0..vectors.len()).map(|number| format!("n{number:03}")).collect();
        let notes: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "text")).collect();
        let named: Vec<(&str, Vec<f32>)> = names.iter().map(String::as_str).zip(vectors.clone()).collect();
        project.embedded(&notes, &[("m", &named)]);
        let cosine = |one: &[f32]| {
            let dot = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            dot(one, &query) / (dot(one, one) * dot(&query, &query)).sqrt()
        };
        let mut expected: Vec<f64> = vectors.iter().map(|one| cosine(one)).collect();
        expected.sort_by(|one, other| other.total_cmp(one));
        let answer = project.nearest(&Search { limit: max, ..by(Mode::Meaning, "x") }, &query);
        let found: Vec<f64> = answer.results.iter().map(|one| one.score).collect();
        prop_assert_eq!(found.len(), max.min(vectors.len()));
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found - expected).abs() < 1e-5, "{} {}", found, expected);
        }
    }
}
