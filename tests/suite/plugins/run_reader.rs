//! `plugin run` and `plugin inspect` of a reader: raw files in, artifacts and what is skipped out.

use tempfile::TempDir;

use crate::support::invocation::Run;
use crate::support::test_project::command_in;
use crate::support::transcript::assert_transcript;

struct AuthorFolder(TempDir);

impl AuthorFolder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("tickets.csv", "id,text\n1,Call Ann.\n2,\n3,Pay the rent.\n");
        folder.write(
            "more.jsonl",
            "{\"id\": 4, \"text\": \"Buy paper.\"}\n{broken\n",
        );
        folder
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Run {
        command_in(self.0.path(), arguments).run()
    }
}

/// Larger than a command may be that holds the file.
#[cfg(target_os = "linux")]
const LARGE_BYTES: u64 = 1 << 30;

const ROWS: [&str; 5] = [
    "plugin",
    "run",
    "rows",
    "--config",
    r#"{"content": "text", "label": "id"}"#,
];

#[test]
fn artifacts_and_skipped_parts_of_several_files_are_shown() {
    let folder = AuthorFolder::new();
    let inputs = ["--input", "tickets.csv", "--input", "more.jsonl"];
    assert_transcript!(folder.run(&[&ROWS[..], &inputs].concat()).expect_code(0));
}

#[test]
fn the_result_in_json_has_artifacts_skips_log_and_fuel() {
    let folder = AuthorFolder::new();
    let inputs = ["--json", "--input", "tickets.csv", "--input", "more.jsonl"];
    let record = folder
        .run(&[&ROWS[..], &inputs].concat())
        .expect_code(0)
        .json();
    let artifacts = record["artifacts"].as_array().unwrap();
    let labels: Vec<_> = artifacts.iter().map(|one| &one["label"]).collect();
    assert_eq!(labels, ["1", "3", "4"]);
    assert_eq!(artifacts[0]["content"], "Call Ann.");
    assert_eq!(artifacts[0]["kind"], "row");
    assert_eq!(artifacts[0]["file"], "tickets.csv");
    assert!(artifacts[0]["place"].as_str().unwrap().starts_with("line "));
    assert!(artifacts[0]["metadata"].is_object());
    let skipped = record["skipped"].as_array().unwrap();
    let counts: Vec<_> = skipped
        .iter()
        .map(|one| {
            (
                one["reason"].as_str().unwrap(),
                one["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(counts, [("empty", 1), ("unreadable", 1)]);
    assert!(
        skipped[1]["examples"][0]
            .as_str()
            .unwrap()
            .starts_with("more.jsonl: line 2")
    );
    assert!(record["log"].is_array());
    assert!(record["fuel"].as_u64().unwrap() > 0);
    assert_eq!(record["status"], "done");
}

/// The other files are read all the same, and the error names the file and the place.
#[test]
fn a_file_that_fails_is_named_and_does_not_stop_the_others() {
    let folder = AuthorFolder::new();
    folder.write("twice.csv", "id,text\n7,One.\n7,Two.\n");
    folder.write(
        "strict.jsonl",
        "{\"id\": 8, \"text\": \"Good.\"}\n{broken\n",
    );
    let config = r#"{"content": "text", "label": "id", "on_error": "error"}"#;
    let arguments = [
        "plugin",
        "run",
        "rows",
        "--config",
        config,
        "--input",
        "twice.csv",
        "--input",
        "strict.jsonl",
        "--input",
        "tickets.csv",
    ];
    let run = folder.run(&arguments).expect_code(1);
    assert_transcript!(run);
    let record = folder
        .run(&[&arguments[..], &["--json"]].concat())
        .expect_code(1)
        .json();
    assert_eq!(record["status"], "failed");
    // A build keeps nothing of a file that fails.
    let artifacts = record["artifacts"].as_array().unwrap();
    assert!(
        artifacts.iter().all(|one| one["file"] == "tickets.csv"),
        "{record:#}"
    );
    let files: Vec<_> = record["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["file"])
        .collect();
    assert_eq!(files, ["twice.csv", "strict.jsonl"]);
}

#[test]
fn what_only_a_transform_has_is_refused_for_a_reader() {
    let folder = AuthorFolder::new();
    for (flag, value) in [("--unit", "a"), ("--reply", "a"), ("--replies", "a.json")] {
        let run = folder.run(&[
            "plugin",
            "run",
            "rows",
            "--input",
            "tickets.csv",
            flag,
            value,
        ]);
        let run = run.expect_code(2);
        assert!(
            run.says(&format!(
                "rows is a reader, which has no units and asks no model; remove {flag}"
            )),
            "{run:?}"
        );
    }
    let run = folder
        .run(&[&ROWS[..], &["--input", "."]].concat())
        .expect_code(2);
    assert!(run.says(". is not a file"), "{run:?}");
    let run = folder
        .run(&[&ROWS[..], &["--input", "none.csv"]].concat())
        .expect_code(2);
    assert!(run.says("cannot open none.csv"), "{run:?}");
    let config = r#"{"content": "text", "contents": "text"}"#;
    let run = folder.run(&[
        "plugin",
        "run",
        "rows",
        "--input",
        "tickets.csv",
        "--config",
        config,
    ]);
    assert!(run.expect_code(2).says("contents"));
}

/// The command holds at most a part of the file, whose content takes no space on the disk. The shell lets it reserve less
/// than the size of the file.
#[cfg(target_os = "linux")]
#[test]
fn a_large_file_is_never_held_as_a_whole() {
    use std::io::{Seek as _, SeekFrom, Write as _};

    let folder = AuthorFolder::new();
    let mut file = std::fs::File::create(folder.0.path().join("large.csv")).unwrap();
    file.write_all(b"id,text\n1,Call Ann.\n").unwrap();
    file.seek(SeekFrom::Start(LARGE_BYTES)).unwrap();
    file.write_all(b"\n2,Pay the rent.\n").unwrap();
    drop(file);
    let inputs = ["--input", "large.csv", "--json"];
    let command = command_in(folder.0.path(), &[&ROWS[..], &inputs].concat());
    let address_space = LARGE_BYTES / 1024 * 9 / 10;
    let run = Run::of(&mut crate::support::processes::with_address_space(
        &command,
        address_space,
    ))
    .expect_code(0);
    let record = run.json();
    assert_eq!(record["artifacts"][0]["label"], "1", "{record:#}");
    assert_eq!(record["artifacts"][1]["label"], "2", "{record:#}");
}

#[test]
fn inspect_shows_that_a_component_is_a_reader() {
    let folder = AuthorFolder::new();
    let found = folder
        .run(&["plugin", "inspect", "rows", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(found["kind"], "reader");
    assert_eq!(found["capabilities"].as_array().unwrap().len(), 0);
    assert!(found.get("shape").is_none(), "{found:#}");
    let run = folder.run(&["plugin", "inspect", "rows"]).expect_code(0);
    assert!(
        run.says("kind          reader\ncapabilities  none"),
        "{run:?}"
    );
    let run = folder
        .run(&["plugin", "inspect", "rows", "--markdown"])
        .expect_code(0);
    assert!(
        run.stdout
            .starts_with("Reader: each file is a unit. Capabilities: none.\n"),
        "{run:?}"
    );
    let map = folder
        .run(&["plugin", "inspect", "map", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(map["kind"], "transform");
}
