//! `lineage --down` and `--roots`: what was made from something, and the files that something was made from.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::pipelines::notes_pipeline;
use crate::support::test_project::{TestProject, text};

const LAYERS: &str = notes_pipeline!(
    r#"[layers.summaries]
transform = "map"
inputs = ["notes"]
config.prompt = "Sum up: {{ content }}"

[layers.report]
transform = "reduce"
inputs = ["summaries"]
config = { prompt = "Report:{% for one in inputs %}\n{{ one.content }}{% endfor %}", label = "report" }
"#
);

fn built() -> TestProject {
    let project = TestProject::with_layers(LAYERS);
    project.write("notes/a.md", "Ann paints.");
    project.write("notes/b.md", "Bob bakes.");
    project.ok(&["build"]);
    project
}

/// Returns `layer/label` of the artifacts and the paths of the files of a lineage.
fn names(lineage: &Value) -> BTreeSet<String> {
    let nodes = lineage["nodes"].as_array().expect("nodes");
    let name = |node: &Value| match node["path"].as_str() {
        Some(path) => path.to_owned(),
        None => format!("{}/{}", text(&node["layer"]), text(&node["label"])),
    };
    nodes.iter().map(name).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn everything_that_was_made_from_an_artifact_or_a_file_is_found() {
    let project = built();
    let made = set(&["notes/a", "summaries/a", "report/report"]);
    let down = project.json(&["lineage", "notes/a", "--down"]);
    assert_eq!(names(&down), made);
    let of_file = project.json(&["lineage", "notes/a.md", "--down"]);
    let with_file: BTreeSet<String> = made.into_iter().chain(set(&["notes/a.md"])).collect();
    assert_eq!(names(&of_file), with_file);
    assert_eq!(of_file["edges"].as_array().expect("edges").len(), 3);
    let shown = project.ok(&["lineage", "notes/a.md", "--down"]).stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("source file notes/a.md"), "{shown}");
    assert!(lines[3].starts_with("      report/report"), "{shown}");
    let step = project.json(&["lineage", "notes/a", "--down", "--depth", "1"]);
    assert_eq!(names(&step), set(&["notes/a", "summaries/a"]));
    assert_eq!(step["cut"], true);
}

#[test]
fn the_roots_of_an_artifact_are_its_source_files() {
    let project = built();
    let roots = project.json(&["lineage", "report", "--roots"]);
    assert_eq!(
        names(&roots),
        set(&["report/report", "notes/a.md", "notes/b.md"])
    );
    let last = project.json(&["lineage", "report", "--down"]);
    assert_eq!(names(&last), set(&["report/report"]));
}

/// A note that is written again with the same bytes has another row, and the report still comes from it.
#[test]
fn what_comes_of_a_file_is_of_the_snapshot_that_is_read() {
    let project = built();
    project.write("notes/a.md", "Ann sings.");
    project.remove("notes/b.md");
    project.ok(&["build"]);
    let gone = project
        .run(&["lineage", "notes/b.md", "--down"])
        .expect_code(2);
    assert!(gone.says("there is no artifact \"notes/b.md\""), "{gone:?}");
    let before = project.json(&["lineage", "notes/b.md", "--down", "--snapshot", "@-1"]);
    assert_eq!(
        names(&before),
        set(&["notes/b.md", "notes/b", "summaries/b", "report/report"])
    );
}
