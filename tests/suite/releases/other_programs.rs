//! Other programs read what synix writes: pyarrow, mlcroissant, and the modules of Python.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{OUTPUTS, built_with};
use crate::support::plugin_tools::{expect_success, tool_folder};
use crate::support::test_project::TestProject;

const PARQUET: &str = "\n[outputs.parquet]\nlayers = [\"tagged\", \"copies\"]\nformat = \"parquet\"\npath = \"data/table.parquet\"\n";

/// Runs a script of Python in the current release, and returns what it prints as JSON.
fn python(project: &TestProject, script: &str) -> Value {
    let interpreter = tool_folder().with_file_name("formats/bin/python");
    assert!(
        Path::new(&interpreter).exists(),
        "{} is not there: run `cargo xtask setup --languages`",
        interpreter.display()
    );
    let mut command = Command::new(interpreter);
    command.args(["-c", script]).env("PYTHONUTF8", "1");
    command.current_dir(project.path("release/current"));
    let printed = expect_success(&mut command).stdout;
    let last = printed.lines().last().expect("a line");
    serde_json::from_str(last).expect("JSON")
}

fn released() -> TestProject {
    let project = built_with(&format!("{OUTPUTS}{PARQUET}"));
    project.ok(&["release"]);
    project
}

#[test]
fn pyarrow_reads_typed_columns() {
    let project = released();
    let found = python(
        &project,
        "import json, pyarrow.parquet as p\n\
         t = p.read_table('data/table.parquet')\n\
         print(json.dumps({'types': {f.name: str(f.type) for f in t.schema}, 'rows': t.to_pylist()}))",
    );
    // Whole numbers beyond 2^53 stay exact.
    assert_eq!(
        found["types"],
        json!({
            "layer": "string", "label": "string", "kind": "string", "content": "string",
            "metadata": found["types"]["metadata"], "age": "int64", "data.label": "string",
            "height": "double", "known": "bool", "mixed": found["types"]["mixed"],
            "mood": "string", "tags": found["types"]["tags"],
        })
    );
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["age"], 41);
    assert_eq!(rows[1]["age"], 9_007_199_254_740_993_i64);
    assert_eq!(rows[0]["height"], 1.7);
    assert_eq!(rows[1]["height"], 2.0);
    assert_eq!(rows[0]["data.label"], "own");
    assert_eq!(rows[0]["tags"], r#"["a","b"]"#);
    assert_eq!(
        (&rows[0]["mixed"], &rows[1]["mixed"]),
        (&json!("\"x\""), &json!("3"))
    );
    assert_eq!(
        (&rows[0]["content"], &rows[1]["mood"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        rows[2]["content"],
        "# Ann\n\nAnn, \"the painter\", lives here."
    );
    assert_eq!(rows[2]["age"], Value::Null);
}

#[test]
fn mlcroissant_validates_a_dataset_and_reads_its_records() {
    let project = released();
    let found = python(
        &project,
        "import json, logging, mlcroissant as m\n\
         d = m.Dataset('dataset/croissant.json')\n\
         issues = d.metadata.ctx.issues\n\
         def text(v):\n\
         \x20   if isinstance(v, bytes): return v.decode()\n\
         \x20   if hasattr(v, 'tolist'): v = v.tolist()\n\
         \x20   if isinstance(v, list): return [text(x) for x in v]\n\
         \x20   return v if isinstance(v, (str, int, float, bool, type(None))) else str(v)\n\
         rows = [{k: text(v) for k, v in r.items()} for r in d.records('artifacts')]\n\
         print(json.dumps({'errors': sorted(issues.errors), 'rows': rows, 'conforms': str(d.metadata.conforms_to)}))",
    );
    assert_eq!(found["errors"], json!([]));
    let conforms = found["conforms"].as_str().unwrap();
    assert!(conforms.contains("croissant/1.1"), "{found}");
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    let value = |row: usize, name: &str| &rows[row][format!("artifacts/{name}")];
    assert_eq!(value(0, "label"), "ann");
    assert_eq!(value(0, "machine_made"), false);
    assert_eq!(value(2, "machine_made"), true);
    assert_eq!(value(2, "models"), r#"["gpt-4o-mini-2024-07-18"]"#);
    assert_eq!(value(2, "sources"), &json!(["notes/ann"]));
    assert_eq!(value(2, "prompt").as_str().unwrap().len(), 64);
    assert_eq!(value(2, "prompt"), value(3, "prompt"));
    assert!(
        value(2, "time").as_str().unwrap().starts_with("2026-01-01"),
        "{found}"
    );
    assert_eq!(value(2, "mood"), "dry, \"very\"");
}

#[test]
fn the_modules_of_python_read_rows_and_tables() {
    let project = released();
    let found = python(
        &project,
        "import csv, json\n\
         rows = [json.loads(line) for line in open('data/rows.jsonl', encoding='utf-8')]\n\
         table = list(csv.DictReader(open('data/table.csv', encoding='utf-8', newline='')))\n\
         print(json.dumps({'rows': rows, 'table': table}))",
    );
    assert_eq!(found["rows"].as_array().unwrap().len(), 4);
    assert_eq!(found["table"][0]["mood"], "dry, \"very\"");
    assert_eq!(found["table"][1]["age"], "9007199254740993");
    assert_eq!(found["table"][0]["data.label"], "own");
    assert_eq!(found["table"][3]["content"], "=1+1 \u{e9}\u{1f600}");
}
