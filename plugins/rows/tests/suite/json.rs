use serde_json::json;
use synix_reading::testing::{ZipMaker, gzip, zstd};

use super::{content, made, message, metadata, run, skipped};

#[test]
fn json_lines_are_rows() {
    let file = "{\"id\": 7, \"text\": \"one\"}\n\n  \r\n{\"id\": \"b\", \"text\": \"two\"}";
    let config = json!({"content": "text", "label": "id"});
    for name in ["t.jsonl", "t.ndjson", "t.dat", "t.json"] {
        assert_eq!(
            made(&run(name, file, &config)),
            [("7", "one"), ("b", "two")],
            "{name}"
        );
    }
}

#[test]
fn a_row_without_a_label_is_named_by_file_and_line() {
    let file = "{\"t\": \"one\"}\n\n{\"t\": \"two\"}\n";
    let config = json!({"content": "t"});
    let expected = [("a.b/t-1", "one"), ("a.b/t-3", "two")];
    assert_eq!(made(&run("a.b/t.jsonl", file, &config)), expected);
    assert_eq!(
        made(&run("a.b/t.jsonl.gz", gzip(file.as_bytes()), &config)),
        expected
    );
    let array = r#"[{"t": "one"}, {"t": "two"}]"#;
    assert_eq!(
        made(&run("t.json", array, &config)),
        [("t-1", "one"), ("t-2", "two")]
    );
}

#[test]
fn an_array_is_rows_at_the_top_or_at_a_pointer() {
    let rows = r#"[{"id": 1, "t": "one"},
        {"id": 2, "t": "two"}]"#;
    let config = json!({"content": "t", "label": "id"});
    let expected = [("1", "one"), ("2", "two")];
    assert_eq!(made(&run("t.json", rows, &config)), expected);
    let inner = format!("{{\"meta\": [1], \"data\": {{\"items\": {rows}}}}}");
    let config = json!({"content": "t", "label": "id", "pointer": "/data/items"});
    assert_eq!(made(&run("t.json", &inner, &config)), expected);
    // An object over several lines, and several in a row.
    let pretty = "{\n \"id\": 1,\n \"t\": \"one\"\n}\n{\n \"id\": 2,\n \"t\": \"two\"\n}\n";
    assert_eq!(
        made(&run(
            "t.json",
            pretty,
            &json!({"content": "t", "label": "id"})
        )),
        expected
    );
}

#[test]
fn a_wrong_pointer_is_an_error_that_names_what_is_there() {
    let file = r#"{"data": {"rows": []}}"#;
    let ran = run(
        "t.json",
        file,
        &json!({"content": "t", "pointer": "/data/items"}),
    );
    let text = message(&ran);
    assert!(
        text.starts_with(
            "t.json: there is nothing at `/data/items`; there are `rows`; the file begins with"
        ),
        "{text}"
    );
    let ran = run("t.json", file, &json!({"content": "t", "pointer": "data"}));
    assert_eq!(
        message(&ran),
        "the pointer `data` does not begin with `/`: write `/data`"
    );
}

#[test]
fn a_forgotten_pointer_is_named() {
    let ran = run(
        "t.json",
        r#"{"items": [{"t": "x"}], "n": 1}"#,
        &json!({"content": "t"}),
    );
    assert_eq!(
        message(&ran),
        "t.json: none of 1 rows became an artifact: 0 unreadable, 1 empty; there is no field `t`; there are `items`, \
         `n`; if the rows are in `items`, set `pointer = \"/items\"`"
    );
}

#[test]
fn a_bad_row_is_skipped_with_its_line_and_the_others_are_read() {
    let file = b"{\"t\": \"one\"}\n{\"t\": oops}\n[1]\n\"x\"\n{\"t\": \"\xff\"}\n{\"t\": \"six\"}\n{\"t\": \"sev";
    let ran = run("t.jsonl", file, &json!({"content": "t"}));
    assert_eq!(made(&ran), [("t-1", "one"), ("t-6", "six")]);
    assert_eq!(
        skipped(&ran),
        [
            "Reason::Unreadable at line 2: line 2: expected value at its byte 7",
            "Reason::Unreadable at line 3: line 3: it is a list, and a row is an object with fields",
            "Reason::Unreadable at line 4: line 4: it is a text, and a row is an object with fields",
            "Reason::Unreadable at line 5: line 5: invalid unicode code point at its byte 8",
            "Reason::Unreadable at line 7: line 7: the last line is cut off",
        ]
    );
}

#[test]
fn a_bad_element_loses_nothing_but_itself() {
    let file = r#"[{"t": "one"}, {"t": NaN}, {"t": "three"}, {"t": "cut"#;
    let ran = run("t.json", file, &json!({"content": "t"}));
    assert_eq!(made(&ran), [("t-1", "one"), ("t-3", "three")]);
    assert_eq!(ran.skipped.len(), 2);
    assert_eq!(ran.skipped[0].place, "element 2");
    assert_eq!(
        ran.skipped[1].what,
        "element 4: the file is cut off at byte 53"
    );
}

#[test]
fn on_error_stops_at_the_first_bad_row() {
    let file = "{\"t\": \"one\"}\nnope\n{\"t\": \"x\"}\n";
    let ran = run(
        "t.jsonl",
        file,
        &json!({"content": "t", "on_error": "error"}),
    );
    assert_eq!(
        message(&ran),
        "t.jsonl, line 2: expected ident at its byte 2; with `on_error = \"skip\"` the other rows are read"
    );
}

#[test]
fn numbers_stay_exact() {
    let file = r#"{"id": 12345678901234567890123, "n": 9007199254740993, "t": "x", "p": 1.10}"#;
    let ran = run("t.jsonl", file, &json!({"content": "t", "label": "id"}));
    assert_eq!(made(&ran), [("12345678901234567890123", "x")]);
    assert_eq!(metadata(&ran.outputs[0])["n"], json!("9007199254740993"));
    assert_eq!(metadata(&ran.outputs[0])["p"], json!(1.1));
}

#[test]
fn marks_and_utf_16_are_read() {
    let text = "{\"t\": \"é\"}\n";
    let utf16: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for file in [format!("\u{feff}{text}").into_bytes(), utf16] {
        assert_eq!(
            made(&run("t.jsonl", file, &json!({"content": "t"}))),
            [("t-1", "é")]
        );
    }
}

#[test]
fn packed_files_are_read() {
    let file = b"{\"t\": \"one\"}\n";
    let config = json!({"content": "t"});
    assert_eq!(
        made(&run("t.jsonl.zst", zstd(file), &config)),
        [("t-1", "one")]
    );
    let zip = ZipMaker::default()
        .deflated("in/t.jsonl", file)
        .stored("note.pdf", b"x")
        .finish();
    let ran = run("z.zip", zip, &config);
    assert_eq!(made(&ran), [("z.zip/in/t-1", "one")]);
    assert_eq!(metadata(&ran.outputs[0])["file"], json!("z.zip/in/t.jsonl"));
    assert_eq!(skipped(&ran), ["Reason::Unsupported at note.pdf: note.pdf"]);
    // A wrong table does not lose the others.
    let two = ZipMaker::default()
        .stored("a.csv", b"x,y\n1,2\n")
        .stored("b.jsonl", file)
        .finish();
    let ran = run("z.zip", two, &config);
    assert_eq!(made(&ran), [("z.zip/b-1", "one")]);
    assert!(
        ran.skipped[1]
            .what
            .starts_with("z.zip/a.csv: none of 1 rows"),
        "{:?}",
        ran.skipped
    );
    let none = ZipMaker::default().stored("note.pdf", b"x").finish();
    assert!(message(&run("z.zip", none, &config)).starts_with("z.zip has no table in it"));
}

#[test]
fn what_is_whole_of_a_cut_packed_file_is_read() {
    let rows: String = (0..5000)
        .map(|at| format!("{{\"t\": \"row {at} {}\"}}\n", at * 7919 % 1000))
        .collect();
    let packed = gzip(rows.as_bytes());
    let ran = run(
        "t.jsonl.gz",
        &packed[..packed.len() / 2],
        &json!({"content": "t"}),
    );
    assert!(ran.result.is_ok());
    assert!(
        ran.outputs.len() > 1000 && ran.outputs.len() < 5000,
        "{}",
        ran.outputs.len()
    );
    assert!(
        ran.skipped[0].what.contains("the file is cut off"),
        "{:?}",
        ran.skipped
    );
}

#[test]
fn a_file_without_rows_is_reported() {
    for (name, file) in [
        ("t.json", "[]"),
        ("t.jsonl", ""),
        ("t.csv", "\n \n"),
        ("t.csv", "a,b\n"),
    ] {
        let ran = run(name, file, &json!({"content": "t"}));
        assert!(made(&ran).is_empty());
        assert_eq!(
            skipped(&ran),
            ["Reason::Empty at : a file without rows"],
            "{file:?}"
        );
    }
}

#[test]
fn values_that_are_no_texts_become_content() {
    let file = r#"[{"t": 1.5}, {"t": true}, {"t": {"b": [1]}}, {"t": null}, {"t": " "}, {}]"#;
    let ran = run("t.json", file, &json!({"content": "t"}));
    let contents: Vec<_> = ran.outputs.iter().map(content).collect();
    assert_eq!(contents, ["1.5", "true", "{\"b\":[1]}"]);
    assert_eq!(ran.skipped.len(), 3);
    assert!(
        skipped(&ran)
            .iter()
            .all(|text| text.starts_with("Reason::Empty at element "))
    );
}
