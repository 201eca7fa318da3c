//! A reader by somebody else in a pipeline: from `plugin new` to answers about its artifacts.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::readers::made_reader;
use crate::support::test_project::{TestProject, text};

const LAYERS: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 30
[layers.cards]
source = "notes/**/*.cards"
read = "./readers/cards.wasm"
[layers.cards.config]
min_chars = 5
[layers.answers]
transform = "map"
inputs = ["cards"]
[layers.answers.config]
prompt = "What is due? {{ content }}"
"#;

/// Returns the artifacts of a layer with their contents.
fn contents(project: &TestProject, layer: &str) -> BTreeMap<String, String> {
    let names = project.artifact_names().into_iter();
    let own = names.filter(|name| name.split('/').next() == Some(layer));
    own.map(|name| {
        let content = project.content(&name);
        (name, content)
    })
    .collect()
}

/// Returns the files that the plan would read.
fn to_read(project: &TestProject) -> Vec<String> {
    let plan = project.json(&["plan"]);
    let stale = plan["layers"][0]["stale_units"].as_array().unwrap().iter();
    stale.map(|unit| text(&unit["unit"])).collect()
}

/// The same for each language: the files are read into artifacts, each is asked about, and a change costs one file.
#[track_caller]
fn is_used_in_a_pipeline(language: &str) {
    let project = TestProject::with_layers(LAYERS);
    fs::create_dir_all(project.path("readers")).unwrap();
    fs::copy(
        &made_reader(language).file,
        project.path("readers/cards.wasm"),
    )
    .unwrap();
    project.write(
        "notes/home.cards",
        "title: The roof\nCall Ann.\n\ntitle: Short\nNo\n\nPay the rent.\n",
    );
    project.write("notes/work/desk.cards", "date: 2026-03-02\nOrder paper.\n");

    assert_eq!(
        to_read(&project),
        ["notes/home.cards", "notes/work/desk.cards"]
    );
    project.ok(&["build"]);
    let expected = [
        ("cards/notes/home-1", "Call Ann."),
        ("cards/notes/home-3", "Pay the rent."),
        ("cards/notes/work/desk-1", "Order paper."),
    ];
    let expected = expected.map(|(name, content)| (name.to_owned(), content.to_owned()));
    assert_eq!(contents(&project, "cards"), BTreeMap::from(expected));
    let shown = project.json(&["show", "cards/notes/work/desk-1"]);
    assert_eq!(
        shown["metadata"],
        json!({"file": "notes/work/desk.cards", "date": "2026-03-02"})
    );
    let answers: Vec<String> = contents(&project, "answers").into_keys().collect();
    assert_eq!(
        answers,
        [
            "answers/notes/home-1",
            "answers/notes/home-3",
            "answers/notes/work/desk-1"
        ]
    );
    assert_eq!(project.sent(), 3);
    let skipped = &project.json(&["status"])["layers"][0]["skipped"];
    assert_eq!(
        *skipped,
        json!([{"reason": "filtered", "count": 1, "examples": ["notes/home.cards: line 4: Short"]}])
    );

    project.write("notes/work/desk.cards", "date: 2026-03-02\nOrder ink.\n");
    assert_eq!(to_read(&project), ["notes/work/desk.cards"]);
    let built = project.ok(&["build"]);
    assert!(built.says("cards: 1 made, 1 up to date"), "{built:?}");
    assert_eq!(project.content("cards/notes/work/desk-1"), "Order ink.");
    assert_eq!(project.sent(), 4);
    assert_eq!(to_read(&project), Vec::<String>::new());
}

#[test]
fn a_new_reader_in_python_is_used_in_a_pipeline() {
    is_used_in_a_pipeline("python");
}

#[test]
fn a_new_reader_in_javascript_is_used_in_a_pipeline() {
    is_used_in_a_pipeline("js");
}
