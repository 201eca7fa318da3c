use serde_json::json;
use synix_reading::testing::gzip;

use super::{made, message, metadata, run, skipped};

#[test]
fn csv_has_quotes_line_breaks_and_lines() {
    let file = "\u{feff}id,text,tag\r\n1,\"one, \"\"two\"\"\r\nthree\",x\r\n\r\n2,four,\r\n";
    let config = json!({"content": "text", "label": "id"});
    let ran = run("t.csv", file, &config);
    assert_eq!(made(&ran), [("1", "one, \"two\"\r\nthree"), ("2", "four")]);
    assert_eq!(
        metadata(&ran.outputs[0]),
        json!({"file": "t.csv", "id": "1", "tag": "x"})
    );
    // An empty field is absent.
    assert_eq!(
        metadata(&ran.outputs[1]),
        json!({"file": "t.csv", "id": "2"})
    );
    let ran = run("t.csv", file, &json!({"content": "text"}));
    assert_eq!(made(&ran)[1].0, "t-5");
    assert_eq!(
        made(&run("t.csv.gz", gzip(file.as_bytes()), &config)).len(),
        2
    );
}

#[test]
fn the_delimiter_is_found_or_set() {
    let config = json!({"content": "text", "label": "id"});
    for (name, file) in [
        ("t.csv", "id;text\n1;a, b\n"),
        ("t.csv", "sep=;\r\nid;text\r\n1;a, b\r\n"),
        ("t.tsv", "id\ttext\n1\ta, b\n"),
        ("t.csv", "id\ttext\n1\ta, b\n"),
        ("t.txt", "id|text\n1|a, b\n"),
    ] {
        assert_eq!(made(&run(name, file, &config)), [("1", "a, b")], "{file:?}");
    }
    let config = json!({"content": "text", "label": "id", "delimiter": "^"});
    assert_eq!(
        made(&run("t.csv", "id^text\n1^a, b\n", &config)),
        [("1", "a, b")]
    );
    let ran = run("t.csv", "a", &json!({"content": "a", "delimiter": "ab"}));
    assert!(message(&ran).starts_with("`delimiter` is not one character"));
}

#[test]
fn a_bad_row_is_skipped_with_its_physical_line() {
    let file = "id,text\n1,\"a\nb\"\n2\n3,c,d\n4,e,\n5,\"open\n6,f\n7,g\n";
    let ran = run("t.csv", file, &json!({"content": "text", "label": "id"}));
    assert_eq!(
        made(&ran),
        [("1", "a\nb"), ("4", "e"), ("6", "f"), ("7", "g")]
    );
    assert_eq!(
        skipped(&ran),
        [
            "Reason::Unreadable at line 4: line 4: it has 1 field, and the header has 2",
            "Reason::Unreadable at line 5: line 5: it has 3 fields, and the header has 2",
            "Reason::Unreadable at line 7: line 7: a quote is not closed",
        ]
    );
}

/// The second open quote closes the first, so the lines between them look like one field.
#[test]
fn lines_that_open_quotes_join_are_taken_apart() {
    let file = "id,text\n1,\"5 inch\n2,b\n3,c\n4,\"x, y\"\n5,d\n";
    let ran = run("t.csv", file, &json!({"content": "text", "label": "id"}));
    assert_eq!(
        made(&ran),
        [("2", "b"), ("3", "c"), ("4", "x, y"), ("5", "d")]
    );
    assert_eq!(ran.skipped.len(), 1);
    assert_eq!(ran.skipped[0].place, "line 2");
}

#[test]
fn a_row_without_its_label_is_skipped() {
    let file = "id,text\n1,a\n,b\n ,c\n";
    let ran = run("t.csv", file, &json!({"content": "text", "label": "id"}));
    assert_eq!(made(&ran), [("1", "a")]);
    let expected = [
        "Reason::Unreadable at line 3: line 3: its label is empty",
        "Reason::Unreadable at line 4: line 4: its label is empty",
    ];
    assert_eq!(skipped(&ran), expected);
}

#[test]
fn a_missing_column_is_an_error_that_names_those_that_are_there() {
    let ran = run(
        "t.csv",
        "id,body\n1,a\n2,b\n",
        &json!({"content": "text", "label": "id"}),
    );
    assert_eq!(
        message(&ran),
        "t.csv: none of 2 rows became an artifact: 0 unreadable, 2 empty; there is no field `text`; there are `id`, `body`"
    );
    let ran = run(
        "t.csv",
        "id,body\n1,a\n",
        &json!({"content": "body", "label": "key"}),
    );
    assert!(message(&ran).ends_with("there is no field `key`; there are `id`, `body`"));
}

#[test]
fn columns_without_a_name_or_with_the_same_have_names_of_their_own() {
    let ran = run(
        "t.csv",
        "id,,id, id_2 ,\n1,a,2,3,b\n",
        &json!({"content": "column_2"}),
    );
    assert_eq!(
        metadata(&ran.outputs[0]),
        json!({"file": "t.csv", "id": "1", "id_2": "2", "id_2_2": "3", "column_5": "b"})
    );
}

#[test]
fn columns_names_a_file_without_a_header() {
    let ran = run(
        "t.csv",
        "1,a\n2,b\n",
        &json!({"content": "text", "label": "id", "columns": ["id", "text"]}),
    );
    assert_eq!(made(&ran), [("1", "a"), ("2", "b")]);
}

#[test]
fn older_encodings_are_read_when_they_are_set() {
    let file = b"id,text\n1,caf\xe9 \x80\n2,b\n";
    let ran = run(
        "t.csv",
        file,
        &json!({"content": "text", "label": "id", "encoding": "windows-1252"}),
    );
    assert_eq!(made(&ran), [("1", "café €"), ("2", "b")]);
    let ran = run("t.csv", file, &json!({"content": "text", "label": "id"}));
    assert_eq!(made(&ran), [("2", "b")]);
    assert!(
        ran.skipped[0]
            .what
            .contains("set `encoding = \"windows-1252\"`")
    );
}

#[test]
fn values_of_csv_are_texts() {
    let file = "zip,text\n01234,a\n9007199254740993,b\n";
    let ran = run("t.csv", file, &json!({"content": "text", "label": "zip"}));
    assert_eq!(made(&ran), [("01234", "a"), ("9007199254740993", "b")]);
    assert_eq!(metadata(&ran.outputs[0])["zip"], json!("01234"));
}
