//! The format `files`: names, front matter, and what is not text.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::paths;
use crate::support::test_project::{TestProject, text};

/// Labels of rows that try everything that names of files may try.
fn hostile_labels() -> Vec<String> {
    let mut labels: Vec<String> = [
        "../../outside",
        "/etc/passwd",
        "..",
        "...",
        "a/b",
        "a\\b",
        "C:\\x",
        "con",
        "CON",
        "aux.md",
        "NUL",
        "com1",
        "ann",
        "Ann",
        "ANN",
        "caf\u{e9}",
        "cafe\u{301}",
        "trailing.",
        "in  side",
        "a\u{a0}b",
        "-rf",
        "~root",
        "a:b",
        "a*b?",
        "<x>",
        "|",
        "\"",
        ".hidden",
        "stra\u{df}e",
        "strasse",
        "\u{5199}\u{771f}",
        "\u{1f600}",
        "x~0123456789abcdef",
        "receipt.json",
    ]
    .map(str::to_owned)
    .into();
    labels.push("x".repeat(300));
    labels.push(format!("{}y", "x".repeat(299)));
    labels.push("\u{5199}".repeat(300));
    labels
}

fn hostile_project(labels: &[String]) -> TestProject {
    let layers = "[layers.rows]\nsource = \"in/*.jsonl\"\nread = \"rows\"\n[layers.rows.config]\ncontent = \"{{ text }}\"\nlabel = \"id\"\n[outputs.files]\nlayers = [\"rows\"]\nformat = \"files\"\npath = \"files\"\n";
    let project = TestProject::with_layers(layers);
    let lines: Vec<String> = labels
        .iter()
        .map(|label| json!({ "id": label, "text": format!("text of {label}") }).to_string())
        .collect();
    project.write("in/rows.jsonl", &lines.join("\n"));
    project.ok(&["build"]);
    project
}

#[test]
fn hostile_labels_leave_no_folder_lose_no_text_and_have_stable_names() {
    let labels = hostile_labels();
    let project = hostile_project(&labels);
    let known: BTreeSet<String> = paths(&project.path("")).into_iter().collect();
    project.ok(&["release"]);
    let files = paths(&project.path("release/snapshot-1/files/rows"));
    assert_eq!(files.len(), project.artifact_names().len(), "{files:?}");
    // Nothing appeared anywhere else.
    for path in paths(&project.path("")) {
        assert!(
            known.contains(&path) || path.starts_with("release/") || path.starts_with(".synix/"),
            "{path}"
        );
    }
    // Each file has the text of its label, and no file system confuses two names.
    let mut blurred = BTreeSet::new();
    let mut texts = BTreeSet::new();
    for file in &files {
        assert!(blurred.insert(file.to_lowercase()), "{file}");
        assert!(file.len() <= 110, "{file}");
        let path = project.path(&format!("release/snapshot-1/files/rows/{file}"));
        let whole = fs::read_to_string(path).unwrap();
        let (_, body) = whole
            .strip_prefix("---\n")
            .unwrap()
            .split_once("\n---\n")
            .unwrap();
        texts.insert(body.to_owned());
    }
    let listed = project.json(&["list", "rows"]);
    let expected: BTreeSet<String> = listed["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("text of {}", text(&one["label"])))
        .collect();
    assert_eq!(texts, expected);

    // Fewer labels, the same names for those that remain.
    let fewer = hostile_project(&labels[..5]);
    fewer.ok(&["release"]);
    for file in paths(&fewer.path("release/snapshot-1/files/rows")) {
        assert!(files.contains(&file), "{file} is not in {files:?}");
    }
}

/// The front matter is YAML that synix itself reads.
#[test]
fn the_files_of_a_release_can_be_sources_again() {
    let layers = "[layers.rows]\nsource = \"in/*.jsonl\"\nread = \"rows\"\n[layers.rows.config]\ncontent = \"{{ text }}\"\nlabel = \"id\"\nmetadata = [\"note\", \"count\"]\n[outputs.files]\nlayers = [\"rows\"]\nformat = \"files\"\npath = \"files\"\n";
    let project = TestProject::with_layers(layers);
    let row = json!({ "id": "a", "text": "---\nx: y\n---\nbody", "note": "no: \"#\"\n\u{85}---", "count": 3 });
    project.write("in/rows.jsonl", &row.to_string());
    project.ok(&["build"]);
    project.ok(&["release"]);
    let again = TestProject::with_layers("[layers.notes]\nsource = \"notes/**/*.md\"\n");
    let released = fs::read_to_string(project.path("release/current/files/rows/a.md")).unwrap();
    again.write("notes/a.md", &released);
    again.ok(&["build"]);
    let shown = again.json(&["show", "notes/a"]);
    assert_eq!(shown["content"], "---\nx: y\n---\nbody");
    assert_eq!(shown["metadata"]["layer"], "rows");
    assert_eq!(shown["metadata"]["machine_made"], false);
    assert_eq!(shown["metadata"]["sources"], json!(["rows/a"]));
    assert_eq!(
        shown["metadata"]["metadata"]["note"],
        project.json(&["show", "rows/a"])["metadata"]["note"]
    );
}

#[test]
fn what_is_not_text_keeps_its_bytes_and_has_a_file_beside_it() {
    let layers = "[layers.pictures]\nsource = \"in/*.png\"\n[outputs.files]\nlayers = [\"pictures\"]\nformat = \"files\"\npath = \"files\"\n";
    let project = TestProject::with_layers(layers);
    // The smallest picture: one pixel.
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82";
    fs::create_dir_all(project.path("in")).unwrap();
    fs::write(project.path("in/dot.png"), png).unwrap();
    project.ok(&["build"]);
    project.ok(&["release"]);
    let folder = "release/current/files/pictures";
    assert_eq!(paths(&project.path(folder)), ["dot.md", "dot.png"]);
    assert_eq!(
        fs::read(project.path(&format!("{folder}/dot.png"))).unwrap(),
        png
    );
    let beside = fs::read_to_string(project.path(&format!("{folder}/dot.md"))).unwrap();
    assert!(
        beside.contains("file: \"dot.png\"\nmedia_type: \"image/png\"\n"),
        "{beside}"
    );
}
