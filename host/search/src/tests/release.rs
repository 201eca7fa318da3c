//! Search files of releases: what is in them, and that other programs can query them.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Map;
use synix_core::artifact::Metadata;

use super::*;

struct Release {
    folder: tempfile::TempDir,
}

impl Release {
    fn file(&self) -> PathBuf {
        self.folder.path().join("snapshot-1/memory.sqlite")
    }

    fn new() -> Self {
        let release = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(release.folder.path().join("snapshot-1")).unwrap();
        let about = About {
            snapshot: "snapshot-1".to_owned(),
            pipeline: "synix.toml".to_owned(),
        };
        let members = ["mood", "label"].map(str::to_owned);
        let mut writer = ReleaseFileWriter::create(&release.file(), &about, &members).unwrap();
        let data = json!({"mood": "dry", "label": "house", "other": 1});
        for (label, content, data, metadata) in [
            (
                "a",
                Some("Ann paints a house."),
                None,
                json!({"title": "About Ann", "month": "2024-01"}),
            ),
            ("b", None, data.as_object(), json!({})),
            ("c", Some("東京都に行きました。"), None, json!({})),
        ] {
            add(&mut writer, label, content, data, &metadata);
        }
        for (label, vector) in [
            ("a", [1.0, 0.0]),
            ("b", [0.0, 1.0]),
            ("c", [1.0, 1.0]),
            ("none", [1.0, 2.0]),
        ] {
            let added = writer.add_vector(&DocumentVector {
                layer: "vectors",
                document: ("notes", label),
                model: "m",
                vector: &vector,
            });
            assert_eq!(added.unwrap(), label != "none");
        }
        assert_eq!(writer.finish().unwrap(), 3);
        release
    }

    fn found(&self, search: &Search) -> Vec<String> {
        let file = ReleaseFile::open(self.folder.path()).unwrap();
        let embed = |_: &Space, _: &str| Ok(vec![1.0, 0.5]);
        labels(&file.search(search, Some(&embed)).unwrap())
    }
}

fn add(
    writer: &mut ReleaseFileWriter,
    label: &str,
    content: Option<&str>,
    data: Option<&Map<String, Value>>,
    metadata: &Value,
) {
    let metadata: Metadata = serde_json::from_value(metadata.clone()).unwrap();
    let document = Document {
        layer: "notes",
        label,
        kind: "note",
        id: "00ff",
        content,
        data,
        metadata: &metadata,
        sources: &["source".to_owned()],
        has_more_sources: false,
    };
    writer.add(&document).unwrap();
}

fn words(query: &str) -> Search {
    Search {
        mode: Some(Mode::Words),
        ..search(query)
    }
}

#[test]
fn a_release_is_searched_like_a_state() {
    let release = Release::new();
    for (query, expected) in [
        ("ann", &["a"][..]),
        ("house", &["b", "a"]),
        ("dry", &["b"]),
        ("京", &["c"]),
        ("東京", &["c"]),
        ("東京都", &["c"]),
        ("大阪", &[]),
        ("2024", &["a"]),
        ("title", &[]),
        ("ann dry", &["a", "b"]),
        ("house -dry", &["a"]),
        ("\"'(", &[]),
    ] {
        let mut found = release.found(&words(query));
        found.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
    let file = ReleaseFile::open(&release.file()).unwrap();
    let answer = file.search(&words("ann"), None).unwrap();
    let result = serde_json::to_value(&answer.results[0]).unwrap();
    assert_eq!(result["snippet"], "Ann paints a house.");
    assert_eq!(result["metadata"]["title"], "About Ann");
    assert_eq!(
        (&result["id"], &result["sources"]),
        (&json!("00ff"), &json!(["source"]))
    );
    assert_eq!(
        result["why"]["terms"],
        json!([{"term": "ann", "in": ["title", "content"]}])
    );
    assert_eq!(
        file.about("snapshot").unwrap().as_deref(),
        Some("snapshot-1")
    );
}

#[test]
fn a_release_is_searched_by_meaning() {
    let release = Release::new();
    let by = |mode, query: &str| Search {
        mode,
        ..search(query)
    };
    assert_eq!(
        release.found(&by(Some(Mode::Meaning), "x")),
        ["c", "a", "b"]
    );
    assert_eq!(
        release.found(&by(Some(Mode::Meaning), "x -paints")),
        ["c", "b"]
    );
    assert_eq!(release.found(&by(None, "dry"))[0], "b");
    let conditions = vec!["month=2024-01".parse().unwrap()];
    let filtered = Search {
        conditions,
        ..by(Some(Mode::Hybrid), "x")
    };
    assert_eq!(release.found(&filtered), ["a"]);
}

/// Runs the example of the document with Python's own SQLite.
#[test]
fn python_queries_a_search_file_as_the_document_says() {
    let document = include_str!("../../../../docs/search.md");
    let (_, rest) = document.split_once("```python\n").unwrap();
    let (program, _) = rest.split_once("```").unwrap();
    let output = Command::new("python3")
        .args(["-c", program])
        .arg(Release::new().file())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        printed,
        "notes a [Ann] [paints] a house.\na\n京 c\n東京 c\n東京都 c\n"
    );
}

#[test]
fn other_programs_see_the_texts_as_they_are() {
    let release = Release::new();
    let file = Connection::open(release.file()).unwrap();
    let row: (String, String, Option<String>, String, String, String) = file
        .query_row(
            "SELECT layer, kind, content, metadata, mood, \"data.label\" FROM documents WHERE label = 'b'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)),
        )
        .unwrap();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        row,
        (
            text("notes"),
            text("note"),
            None,
            text("{}"),
            text("dry"),
            text("house")
        )
    );
    let content: String = file
        .query_row(
            "SELECT content FROM documents WHERE documents MATCH '東京'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(content, "東京都に行きました。");
    file.execute(
        "INSERT INTO documents(documents) VALUES ('integrity-check')",
        [],
    )
    .unwrap();
}

#[test]
fn what_somebody_planted_in_a_file_is_refused() {
    for planted in [
        "CREATE TRIGGER t AFTER INSERT ON about BEGIN SELECT 1; END",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE vectors; CREATE VIEW vectors AS SELECT * FROM about",
        "CREATE TABLE extra (x)",
        "PRAGMA user_version = 7",
        "DROP TABLE document_facts",
    ] {
        let release = Release::new();
        Connection::open(release.file())
            .unwrap()
            .execute_batch(planted)
            .unwrap();
        let opened = ReleaseFile::open(release.folder.path());
        assert!(
            matches!(opened, Err(SearchError::NoSearchFile { .. })),
            "{planted}: {opened:?}"
        );
    }
}

#[test]
fn a_folder_without_one_search_file_is_explained() {
    let release = Release::new();
    let what = |path: &Path| match ReleaseFile::open(path) {
        Err(SearchError::NoSearchFile { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let second = release.folder.path().join("snapshot-1/second.sqlite");
    std::fs::copy(release.file(), &second).unwrap();
    assert!(what(release.folder.path()).starts_with("there are several, such as "));
    assert!(ReleaseFile::open(&second).is_ok());
    let other = release.folder.path().join("other.txt");
    synix_disk::replace(&other, b"text").unwrap();
    assert_eq!(what(&other), "synix did not write it");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(what(empty.path()), "there is none in this folder");
    let missing = ReleaseFile::open(&empty.path().join("none"));
    assert!(matches!(missing, Err(SearchError::Disk(_))));
}

#[cfg(unix)]
#[test]
fn the_current_snapshot_of_a_release_is_searched() {
    let release = Release::new();
    let older = release.folder.path().join("snapshot-0");
    std::fs::create_dir(&older).unwrap();
    std::fs::copy(release.file(), older.join("memory.sqlite")).unwrap();
    std::os::unix::fs::symlink("snapshot-1", release.folder.path().join("current")).unwrap();
    assert_eq!(release.found(&words("ann")), ["a"]);
}

/// Where users can make no links, `current` is a file. One that leads elsewhere is not followed.
#[test]
fn a_pointer_that_is_a_file_leads_to_a_folder_beside_it_alone() {
    let release = Release::new();
    let older = release.folder.path().join("snapshot-0");
    std::fs::create_dir(&older).unwrap();
    std::fs::copy(release.file(), older.join("memory.sqlite")).unwrap();
    let current = release.folder.path().join("current");
    synix_disk::replace(&current, b"snapshot-1\n").unwrap();
    assert_eq!(release.found(&words("ann")), ["a"]);

    let outside = Release::new();
    let elsewhere = outside.folder.path().join("snapshot-1");
    synix_disk::replace(&current, elsewhere.to_str().unwrap().as_bytes()).unwrap();
    let error = ReleaseFile::open(release.folder.path()).unwrap_err();
    assert!(matches!(error, SearchError::Disk(_)), "{error}");
}
