//! Files: when one is read again, and what becomes of one that cannot be read.

use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use synix_core::digest::Digest;

use super::{TICKETS, tickets};
use crate::support::test_project::TestProject;

/// Sets the time of modification of a file to so many seconds after a time long ago.
pub(crate) fn set_age(project: &TestProject, file: &str, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
    let file = File::options()
        .write(true)
        .open(project.path(file))
        .unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// Overwrites a file in place, so that it keeps its number.
pub(super) fn overwrite(project: &TestProject, file: &str, text: &str) {
    let mut open = File::options()
        .write(true)
        .truncate(true)
        .open(project.path(file))
        .unwrap();
    std::io::Write::write_all(&mut open, text.as_bytes()).unwrap();
}

fn stale(project: &TestProject, arguments: &[&str]) -> Value {
    project.json(&[&["plan"], arguments].concat())["layers"][0]["stale"].clone()
}

#[test]
fn a_file_with_an_unchanged_stamp_is_not_opened() {
    let project = tickets("error");
    set_age(&project, "in/a.csv", 0);
    project.ok(&["build"]);
    overwrite(&project, "in/a.csv", "id,text\n1,HELLO\n2,\"Two\nlines\"\n");
    set_age(&project, "in/a.csv", 0);
    assert_eq!(stale(&project, &[]), 0);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
    // Who doubts it, can ask.
    assert_eq!(stale(&project, &["--rehash"]), 1);
    project.ok(&["build", "--rehash"]);
    assert_eq!(project.sent(), 4);
}

/// The same holds for texts, which no reader reads.
#[test]
fn a_text_with_an_unchanged_stamp_is_not_opened() {
    let project = TestProject::with_layers("[layers.notes]\nsource = \"notes/*\"\n");
    project.write("notes/a.md", "one");
    set_age(&project, "notes/a.md", 0);
    project.ok(&["build"]);
    overwrite(&project, "notes/a.md", "two");
    set_age(&project, "notes/a.md", 0);
    assert_eq!(stale(&project, &[]), 0);
    assert_eq!(stale(&project, &["--rehash"]), 1);
}

#[test]
fn each_part_of_a_stamp_counts() {
    let project = TestProject::with_layers("[layers.notes]\nsource = \"notes/*\"\n");
    project.write("notes/a.md", "one");
    set_age(&project, "notes/a.md", 0);
    project.ok(&["build"]);
    overwrite(&project, "notes/a.md", "two");
    set_age(&project, "notes/a.md", 1);
    assert_eq!(stale(&project, &[]), 1, "another time");
    overwrite(&project, "notes/a.md", "longer");
    set_age(&project, "notes/a.md", 0);
    assert_eq!(stale(&project, &[]), 1, "another size");
    #[cfg(unix)]
    {
        project.write("notes/b", "two");
        std::fs::rename(project.path("notes/b"), project.path("notes/a.md")).unwrap();
        set_age(&project, "notes/a.md", 0);
        assert_eq!(stale(&project, &[]), 1, "another file");
    }
}

/// A file that was just written may be written again within the same tick of the clock.
#[test]
fn a_new_file_is_read_until_it_was_left_alone() {
    let project = TestProject::with_layers("[layers.notes]\nsource = \"notes/*\"\n");
    project.write("notes/a.md", "one");
    let modified = || {
        let metadata = project.path("notes/a.md").metadata();
        metadata.unwrap().modified().unwrap()
    };
    let before = modified();
    project.ok(&["build"]);
    overwrite(&project, "notes/a.md", "two");
    let open = File::options()
        .write(true)
        .open(project.path("notes/a.md"))
        .unwrap();
    open.set_times(FileTimes::new().set_modified(before))
        .unwrap();
    assert_eq!(modified(), before);
    assert_eq!(stale(&project, &[]), 1);
}

#[test]
fn a_reader_with_another_config_runs_again_and_asks_nothing() {
    let project = tickets("error");
    project.ok(&["build"]);
    let same = TICKETS
        .replace("ON_DUPLICATE", "")
        .replace("label = \"id\"", "label = \"id\"\nkind = \"row\"");
    project.pipeline("synix.toml", &same);
    let plan = project.json(&["plan"]);
    let reasons = &plan["layers"][0]["stale_units"][0]["reasons"];
    assert_eq!(reasons[0]["reason"], "config", "{reasons:#}");
    assert_eq!(plan["layers"][1]["stale"], 0);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
}

#[test]
fn what_is_left_out_is_counted_by_reason() {
    let project = tickets("error");
    project.write("in/a.csv", "id,text\n1,Hello\n2,\n3\n");
    project.write("in/b.jsonl", "{\"id\": 7, \"text\": \"Seven\"}\n{bad\n");
    let expected = json!([
        {"reason": "empty", "count": 1, "examples": ["in/a.csv: line 3"]},
        {"reason": "unreadable", "count": 2, "examples": [
            "in/a.csv: line 4: it has 1 field, and the header has 2",
            "in/b.jsonl: line 2: key must be a string at its byte 2"
        ]},
    ]);
    let skipped = |document: Value| document["layers"][0]["skipped"].clone();
    assert_eq!(skipped(project.json(&["plan"])), expected);
    assert_eq!(skipped(project.json(&["build"])), expected);
    // The counts of a fresh file come from the state.
    assert_eq!(skipped(project.json(&["build"])), expected);
    assert_eq!(skipped(project.json(&["plan"])), expected);
    assert_eq!(skipped(project.json(&["status"])), expected);
    let run = project.ok(&["status"]);
    assert!(
        run.says("left out in tickets:\n  1 empty, such as in/a.csv: line 3\n"),
        "{run:?}"
    );
}

/// Some readers name a file that they leave out as a whole, and others what it lacks.
#[test]
fn an_example_of_what_is_left_out_says_each_thing_once() {
    let layers: String = ["chats", "documents", "mail", "rows"]
        .iter()
        .map(|reader| format!("[layers.{reader}]\nsource = \"{reader}/*\"\nread = \"{reader}\"\n"))
        .collect();
    let rows = "[layers.rows.config]\ncontent = \"text\"\n";
    let project = TestProject::with_layers(&format!("{layers}{rows}"));
    project.write(
        "chats/users.json",
        "[{\"uuid\": \"u\", \"full_name\": \"Ann\", \"email_address\": \"a@example.com\"}]",
    );
    project.write("documents/empty.txt", "");
    project.write("mail/empty.mbox", "");
    project.write("rows/header.csv", "text\n");
    let expected = [
        "chats: 1 unsupported, such as chats/users.json",
        "documents: 1 empty, such as documents/empty.txt",
        "mail: 1 empty, such as mail/empty.mbox: an empty file",
        "rows: 1 empty, such as rows/header.csv: a file without rows",
    ];
    for command in ["plan", "build", "status"] {
        let run = project.ok(&[command]);
        let document = project.json(&[command]);
        for (position, line) in expected.iter().enumerate() {
            let (layer, said) = line.split_once(": ").unwrap();
            let lines = format!("left out in {layer}:\n  {said}\n");
            assert!(run.says(&lines), "{command}: {lines}{run:?}");
            let (_, example) = said.split_once("such as ").unwrap();
            let examples = &document["layers"][position]["skipped"][0]["examples"];
            assert_eq!(*examples, json!([example]), "{command}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_fails_alone() {
    let project = tickets("error");
    project.write("in/c.csv", "number,words\n1,x\n");
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("in/c.csv"), "{run:?}");
    assert_eq!(project.sent(), 3);
    // The answers are there once the file is mended or removed.
    project.remove("in/c.csv");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
}

#[test]
fn a_source_without_a_file_is_an_error_that_names_its_globs() {
    let project = tickets("error");
    project.remove("in/a.csv");
    project.ok(&["plan"]);
    project.remove("in/b.jsonl");
    let run = project.run(&["plan"]).expect_code(1);
    assert!(
        run.says("layer `tickets`: the glob `in/*.csv`, `in/*.jsonl` matches no file"),
        "{run:?}"
    );
}

/// A file from which nothing can be read must not look like success.
#[test]
fn a_file_without_anything_that_the_reader_knows_fails() {
    let layers = "[layers.chats]\nsource = \"exports/*\"\nread = \"chats\"\n";
    let project = TestProject::with_layers(layers);
    project.write("exports/settings.json", "{\"colour\": \"blue\"}");
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("exports/settings.json"), "{run:?}");
}

#[test]
fn the_lineage_of_a_row_leads_to_its_file() {
    let project = tickets("error");
    project.ok(&["build"]);
    let lineage = project.json(&["lineage", "answers/7"]);
    let nodes = lineage["nodes"].as_array().unwrap();
    let node = |kind: &str| nodes.iter().find(|node| node["type"] == kind).unwrap();
    let file = node("source_file");
    let bytes = std::fs::read(project.path("in/b.jsonl")).unwrap();
    assert_eq!(file["path"], "in/b.jsonl");
    assert_eq!(file["digest"], Digest::of(&bytes).to_string());
    let edges = lineage["edges"].as_array().unwrap();
    let edge = json!({ "from": file["id"], "to": "artifact:tickets/7", "role": "source" });
    assert!(edges.contains(&edge), "{edges:#?}");
    let run = project.ok(&["lineage", "tickets/7"]);
    assert!(run.says("source file in/b.jsonl"), "{run:?}");
    assert!(run.says("reader rows"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn readers_open_nothing_outside_the_project() {
    let project = tickets("error");
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x.csv"), "id,text\n9,Secret\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("x.csv"), project.path("in/x.csv")).unwrap();
    let run = project.run(&["build"]).expect_code(1);
    assert!(
        run.says("in/x.csv: is outside the project folder"),
        "{run:?}"
    );
    assert_eq!(project.sent(), 0);
}
