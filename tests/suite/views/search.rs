//! `search`: artifacts by words, in the newest snapshot or an older one.

use std::fs;
use std::process::Child;

use serde_json::{Value, json};
use synix_search::{About, Document, ReleaseFileWriter};

use crate::support::pipelines::notes_pipeline;
use crate::support::test_project::{TestProject, text};

const LAYERS: &str = notes_pipeline!(
    r#"[layers.joined]
transform = "group"
inputs = ["notes"]
config = { by_template = "all", separator = "\n" }
"#
);

/// Three notes, and one artifact that joins them.
fn built() -> TestProject {
    let project = TestProject::with_layers(LAYERS);
    for (name, content) in [
        (
            "a",
            "---\ntitle: About Ann\nmonth: 2024-01\n---\nAnn paints houses.",
        ),
        ("b", "Bob bakes bread."),
        ("c", "東京都でパンを焼く。"),
    ] {
        project.write(&format!("notes/{name}.md"), content);
    }
    project.ok(&["build"]);
    project
}

/// Returns `layer/label` of each result.
fn names(document: &Value) -> Vec<String> {
    let results = document["results"].as_array().expect("results");
    let name = |one: &Value| format!("{}/{}", text(&one["layer"]), text(&one["label"]));
    results.iter().map(name).collect()
}

fn found(project: &TestProject, arguments: &[&str]) -> Vec<String> {
    let arguments: Vec<&str> = [&["search"], arguments].concat();
    names(&project.json(&arguments))
}

#[test]
fn a_search_follows_the_builds() {
    let project = built();
    assert_eq!(found(&project, &["bread"]), ["notes/b", "joined/all"]);
    project.write("notes/a.md", "Ann bakes bread, too.");
    project.remove("notes/b.md");
    project.ok(&["build"]);
    assert_eq!(found(&project, &["bread", "--layer", "notes"]), ["notes/a"]);
    assert_eq!(found(&project, &["houses"]), [""; 0]);
    for snapshot in ["@-1", "build-1", "snapshot-1"] {
        let arguments = ["houses", "--layer", "notes", "--snapshot", snapshot];
        assert_eq!(found(&project, &arguments), ["notes/a"]);
        let arguments = ["bread", "--layer", "notes", "--snapshot", snapshot];
        assert_eq!(found(&project, &arguments), ["notes/b"]);
    }
    project.ok(&["clean"]);
    assert!(
        !project.path(".synix/index").exists()
            || fs::read_dir(project.path(".synix/index")).unwrap().count() == 0
    );
    project.ok(&["build"]);
    assert_eq!(found(&project, &["bread", "--layer", "notes"]), ["notes/a"]);
}

#[test]
fn the_document_says_what_was_found_and_why() {
    let project = built();
    let mut document = project.json(&["search", "ann", "paint*", "--layer", "notes"]);
    let score = document["results"][0]["score"].take();
    assert!(score.as_f64().is_some_and(|score| score > 0.0), "{score}");
    let list = project.json(&["list", "notes"]);
    let metadata = project.json(&["show", "notes/a"])["metadata"].clone();
    assert_eq!(metadata["month"], "2024-01");
    assert_eq!(
        document,
        json!({
            "schema": 1,
            "build": "build-1",
            "snapshot": "snapshot-1",
            "pipeline": "synix.toml",
            "query": "ann paint*",
            "mode": "words",
            "match": "all",
            "results": [{
                "layer": "notes",
                "label": "a",
                "kind": "source",
                "id": list["artifacts"][0]["id"],
                "score": null,
                "snippet": "Ann paints houses.",
                "metadata": metadata,
                "sources": ["a"],
                "why": {
                    "terms": [
                        {"term": "ann", "in": ["title", "content"]},
                        {"term": "paint*", "in": ["content"]},
                    ],
                    "words_rank": 1,
                },
            }],
            "more": false,
        })
    );
    let joined = project.json(&["search", "bread", "--layer", "joined"]);
    assert_eq!(joined["results"][0]["sources"], json!(["a", "b", "c"]));
}

#[test]
fn the_text_shows_passages_and_their_sources() {
    let project = built();
    let run = project.ok(&["search", "bakes", "bread"]);
    assert_eq!(
        run.stdout,
        "notes/b (source)\n  Bob bakes bread.\n  matched: bakes in content, bread in content\n\n\
         joined/all (text)\n  Ann paints houses. Bob bakes bread. 東京都でパンを焼く。\n  \
         matched: bakes in content, bread in content\n  sources: a, b, c\n"
    );
    assert_eq!(run.stderr, "");
    let coloured = project.ok(&["search", "bread", "--layer", "notes", "--color", "always"]);
    assert!(
        coloured.stdout.contains("bakes \u{1b}[1mbread\u{1b}[0m."),
        "{coloured:?}"
    );
    let any = project.ok(&["search", "houses dancing", "--layer", "notes"]);
    assert!(
        any.stdout
            .starts_with("no artifact has all words; these have some of them\n\nnotes/a "),
        "{any:?}"
    );
    assert_eq!(project.ok(&["search", "dancing"]).stdout, "nothing found\n");
}

#[test]
fn filters_and_the_limit_restrict_the_results() {
    let project = built();
    assert_eq!(
        found(&project, &["ann", "--where", "month=2024-01"]),
        ["notes/a"]
    );
    assert_eq!(found(&project, &["ann", "--where", "month=2024"]), [""; 0]);
    assert_eq!(found(&project, &["bread -ann"]), ["notes/b"]);
    assert_eq!(found(&project, &["京"]), ["notes/c", "joined/all"]);
    assert_eq!(found(&project, &["東京", "--layer", "notes"]), ["notes/c"]);
    let limited = project.json(&["search", "bread", "--limit", "1"]);
    assert_eq!((names(&limited).len(), &limited["more"]), (1, &json!(true)));
    for (arguments, hint) in [
        (&["search"][..], "QUERY"),
        (&["search", "a", "--layer", "note"], "did you mean `notes`?"),
        (&["search", "a", "--where", "month"], "KEY=VALUE"),
        (
            &["search", "a", "--mode", "magic"],
            "words, meaning and hybrid",
        ),
        (&["search", "a", "--mode", "meaning"], "--mode words"),
        (&["search", "a", "--snapshot", "build-9"], "build-9"),
    ] {
        let run = project.run(arguments).expect_code(2);
        assert!(run.says(hint), "{arguments:?}: {run:?}");
    }
}

/// Each command makes the index, or waits for another one that does.
#[test]
fn searches_in_several_terminals_find_the_same() {
    let project = built();
    let started: Vec<Child> = (0..4)
        .map(|_| project.start(&["search", "bread", "--layer", "notes", "--json"]))
        .collect();
    for child in started {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(found(&project, &["bread", "--layer", "notes"]), ["notes/b"]);
}

#[test]
fn a_damaged_index_is_made_again() {
    let project = built();
    assert_eq!(found(&project, &["houses"]).len(), 2);
    for entry in fs::read_dir(project.path(".synix/index")).unwrap() {
        fs::write(entry.unwrap().path(), "no database").unwrap();
    }
    assert_eq!(found(&project, &["houses"]).len(), 2);
}

#[test]
fn hostile_texts_are_printed_safely() {
    let project = TestProject::with_layers(LAYERS);
    let hostile = "::error::bread \u{1b}]0;title\u{7} \u{202e}daerb\n::error::x";
    project.write("notes/a.md", hostile);
    project.ok(&["build"]);
    for color in ["always", "never"] {
        let shown = project.ok(&["search", "bread", "--color", color]).stdout;
        let plain = shown.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        assert!(
            plain.contains(":error::bread \\u{1b}]0;title\\u{7} \\u{202e}daerb"),
            "{shown}"
        );
        assert!(!plain.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown}");
        assert!(!plain.contains("  ::error::"), "{shown}");
    }
    let json = project
        .ok(&["search", "\u{1b}bread\" OR (", "--json"])
        .stdout;
    assert!(!json.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{json}");
}

/// The file may come from somebody else.
#[test]
fn a_release_is_searched_without_a_project() {
    let project = TestProject::with_layers(LAYERS);
    let folder = project.path("releases/snapshot-4");
    fs::create_dir_all(&folder).unwrap();
    let about = About {
        snapshot: "snapshot-4".to_owned(),
        pipeline: "synix.toml".to_owned(),
    };
    let mut file = ReleaseFileWriter::create(&folder.join("memory.sqlite"), &about, &[]).unwrap();
    for (label, content) in [
        ("a", "Ann paints \u{1b}[2Jhouses."),
        ("b", "東京都でパンを焼く。"),
    ] {
        let document = Document {
            layer: "notes",
            label,
            kind: "note",
            id: "00",
            content: Some(content),
            data: None,
            metadata: &[("month".to_owned(), json!("2024-01"))].into(),
            sources: &["exports".to_owned()],
            has_more_sources: false,
        };
        file.add(&document).unwrap();
    }
    assert_eq!(file.finish().unwrap(), 2);
    let releases = project.path("releases");
    let place = releases.to_str().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let elsewhere = [
            "-C",
            empty.path().to_str().unwrap(),
            "search",
            "--in",
            place,
        ];
        project.run(&[&elsewhere, arguments].concat())
    };
    assert_eq!(
        run(&["ann"]).expect_code(0).stdout,
        "notes/a (note)\n  Ann paints \\u{1b}[2Jhouses.\n  matched: ann in content\n  source: exports\n"
    );
    let document = run(&["京", "--json", "--where", "month=2024-01"]).json();
    assert_eq!(names(&document), ["notes/b"]);
    assert_eq!(
        (&document["build"], &document["snapshot"]),
        (&Value::Null, &json!("snapshot-4"))
    );
    assert!(
        run(&["ann", "--layer", "note"])
            .expect_code(2)
            .says("no layer")
    );
    assert!(
        run(&["ann", "--mode", "hybrid"])
            .expect_code(2)
            .says("--mode words")
    );
    fs::remove_dir_all(&folder).unwrap();
    assert!(run(&["ann"]).expect_code(1).says("no search file"));
}
