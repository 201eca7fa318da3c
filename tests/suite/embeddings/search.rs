//! A search by meaning: the query is embedded like any text of a layer.

use serde_json::{Value, json};
use synix_scripted_provider::Endpoint;

use super::{VECTORS, project, project_with};
use crate::support::costs::{billed, picodollars};
use crate::support::test_project::{TestProject, command_in, text};

const OUTPUT: &str = r#"
[outputs.search]
layers = ["notes", "vectors"]
format = "search"
path = "search.sqlite"

[outputs.all]
layers = ["notes"]
format = "jsonl"
path = "all.jsonl"
"#;

fn embedded(project: &TestProject) -> u64 {
    project.ledger().calls(Endpoint::Embeddings)
}

fn first(document: &Value) -> (String, String) {
    let result = &document["results"][0];
    (text(&result["layer"]), text(&result["label"]))
}

#[test]
fn a_query_is_embedded_once_and_finds_the_text_and_not_its_vector() {
    let project = project();
    project.ok(&["build"]);
    let before = embedded(&project);
    let found = project.json(&["search", "--mode", "meaning", "am I chitra"]);
    assert_eq!(first(&found), ("notes".to_owned(), "chitra".to_owned()));
    assert_eq!(found["mode"], "meaning");
    let similarity = found["results"][0]["why"]["similarity"].as_f64().unwrap();
    assert!(similarity > 0.99, "{found}");
    assert_eq!(found["results"].as_array().unwrap().len(), 4);

    // Where there are embeddings, both rankings count, and the vector is kept.
    let both = project.json(&["search", "am I chitra"]);
    assert_eq!(
        (&both["mode"], first(&both).1.as_str()),
        (&json!("hybrid"), "chitra")
    );
    assert_eq!(both["results"][0]["why"]["words_rank"], 1);
    assert_eq!(both["results"][0]["why"]["meaning_rank"], 1);
    assert_eq!(embedded(&project), before + 1);
    // A query that is the text of a note has a vector already.
    project.ok(&["search", "I am chitra."]);
    assert_eq!(embedded(&project), before + 1);
    assert_eq!(project.ledger().duplicates(), []);

    // What a query costs is on record, like what a build costs.
    let spent = project.json(&["status"]);
    assert_eq!(picodollars(&spent["cost_usd"]), billed(&project.ledger()));
}

#[test]
fn without_a_recording_a_replay_searches_by_words_and_says_so() {
    let project = project();
    project.ok(&["build", "--cassette-mode", "record"]);
    let known = ["search", "am I bela", "--cassette-mode"];
    project.ok(&[&known[..], &["record"]].concat());
    let sent = embedded(&project);
    let replay = project.ok(&[&known[..], &["replay"]].concat());
    assert!(!replay.says("searched by words only"), "{replay:?}");

    let unknown = ["search", "dmitri", "--cassette-mode", "replay"];
    let run = project.ok(&unknown);
    assert!(run.says("searched by words only"), "{run:?}");
    assert!(run.stdout.contains("notes/dmitri"), "{run:?}");
    let asked = project.run(&[&unknown[..], &["--mode", "meaning"]].concat());
    let asked = asked.expect_code(1);
    assert!(asked.says("no recording"), "{asked:?}");
    assert_eq!(embedded(&project), sent);
}

/// The file of a release has the vectors; the models are those of the project at hand.
#[test]
fn a_release_is_searched_by_meaning_with_the_project_at_hand() {
    let project = project_with(&format!("{VECTORS}{OUTPUT}"));
    project.ok(&["build"]);
    project.ok(&["release"]);
    let search = [
        "search",
        "I am amara.",
        "--in",
        "release",
        "--mode",
        "meaning",
    ];
    let found = project.json(&search);
    assert_eq!(first(&found), ("notes".to_owned(), "amara".to_owned()));
    assert_eq!(found["snapshot"], "snapshot-1");

    // Somebody else has the folder only.
    let elsewhere = tempfile::tempdir().unwrap();
    let release = project.path("release");
    let release = release.to_str().unwrap();
    let run = command_in(elsewhere.path(), &["search", "amara", "--in", release]).run();
    let run = run.expect_code(0);
    assert!(run.stdout.contains("notes/amara"), "{run:?}");
    assert!(run.says("searched by words only"), "{run:?}");
}

#[test]
fn an_output_of_embeddings_needs_their_texts() {
    let only = OUTPUT.replacen("[\"notes\", \"vectors\"]", "[\"vectors\"]", 1);
    let project = project_with(&format!("{VECTORS}{only}"));
    project.ok(&["build"]);
    let run = project.run(&["release"]).expect_code(2);
    assert!(run.says("without the texts"), "{run:?}");
    assert!(!project.path("release/current").exists());
}
