//! What the reader `text` promises.

use proptest::prelude::*;
use serde_json::{Value, json};
use synix_plugin::testing::{ReaderRun, read};
use synix_plugin::{Content, Error, ExportedReader};
use synix_text::{Text, label_of, note};

fn run(name: &str, file: impl AsRef<[u8]>, config: &str) -> ReaderRun {
    read::<Text>(name, file, config)
}

/// Returns label, kind, content and metadata of the one artifact.
fn artifact(ran: &ReaderRun) -> (&str, &str, &str, Value) {
    assert_eq!(ran.result, Ok(()));
    let [output] = ran.outputs.as_slice() else {
        panic!("{:?}", ran.outputs);
    };
    let Content::Text(text) = &output.content else {
        panic!("bytes");
    };
    let entries = output.metadata.iter();
    let metadata = entries
        .map(|entry| {
            (
                entry.key.clone(),
                serde_json::from_str(&entry.value).unwrap_or_default(),
            )
        })
        .collect();
    (&output.label, &output.kind, text, Value::Object(metadata))
}

fn message(ran: &ReaderRun) -> &str {
    match &ran.result {
        Err(Error::InvalidInput(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_note_is_an_artifact_as_it_always_was() {
    let ran = run(
        "notes/2026/jan.md",
        "---\na: 1\ntags: [x]\n---\n\nOne.\r\n",
        r#"{"folder": "notes"}"#,
    );
    let expected = (
        "2026/jan",
        "source",
        "\nOne.\r\n",
        json!({"a": 1, "tags": ["x"]}),
    );
    assert_eq!(artifact(&ran), expected);
    let ran = run("a/b.txt", "---\na: 1\n---\nx", r#"{"kind": "note"}"#);
    assert_eq!(
        artifact(&ran),
        ("a/b", "note", "---\na: 1\n---\nx", json!({}))
    );
    assert_eq!(
        artifact(&run("empty.md", "", "{}")),
        ("empty", "source", "", json!({}))
    );
}

#[test]
fn other_texts_and_source_code_are_content() {
    for name in ["a.org", "a.rst", "a.rs", "a.py", "Makefile", "a"] {
        let ran = run(name, "* x\n", "{}");
        let (_, _, text, metadata) = artifact(&ran);
        assert_eq!((text, metadata), ("* x\n", json!({})), "{name}");
    }
    let ran = run("a.markdown", "---\na: 1\n---\nx", "{}");
    assert_eq!(artifact(&ran).3, json!({"a": 1}));
}

#[test]
fn a_label_is_the_path_below_the_folder_without_the_extension() {
    for (path, folder, label) in [
        ("notes/2026/jan.md", "notes", "2026/jan"),
        ("notes/2026/jan.md", "notes/", "2026/jan"),
        ("notes/top.v2.md", "notes", "top.v2"),
        ("notes/x.txt", "", "notes/x"),
        ("notes-old/x.txt", "notes", "notes-old/x"),
        ("a/.hidden.md", "a", ".hidden"),
        ("a/.hidden", "a", ".hidden"),
    ] {
        assert_eq!(label_of(path, folder), label);
    }
}

#[test]
fn utf_16_with_a_mark_is_a_text() {
    let text = "\u{feff}---\na: é\n---\n\u{1f600}";
    let utf16 =
        |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(bytes).collect() };
    for file in [
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        text.as_bytes().to_vec(),
    ] {
        let ran = run("a.md", file, "{}");
        assert_eq!(
            artifact(&ran),
            ("a", "source", "\u{1f600}", json!({"a": "é"}))
        );
    }
}

#[test]
fn a_date_at_the_start_of_the_name_is_metadata_unless_the_note_has_one() {
    for (name, text, date) in [
        ("d/2026-01-02.md", "x", json!("2026-01-02")),
        ("d/2026-01-02 Visit.txt", "x", json!("2026-01-02")),
        ("2026-01-02-visit.org", "x", json!("2026-01-02")),
        (
            "2026-01-02.md",
            "---\ndate: 2025-12-31\n---\nx",
            json!("2025-12-31"),
        ),
        ("2026-02-30.md", "x", Value::Null),
        ("2026-13-01.md", "x", Value::Null),
        ("2026-01-02/visit.md", "x", Value::Null),
        ("visit 2026-01-02.md", "x", Value::Null),
    ] {
        let ran = run(name, text, "{}");
        assert_eq!(artifact(&ran).3["date"], date, "{name}");
    }
}

#[test]
fn a_note_that_begins_with_a_rule_is_a_note() {
    for text in [
        "---\n\nOne.\n",
        "---\n\nNote: one.\ntwo\n\n---\n\nTwo.\n",
        "---\nOne.\n\n---\nTwo.\n",
        "---\n- a\n- b\n---\n",
        "---",
        "***\na: 1\n",
    ] {
        let ran = run("a.md", text, "{}");
        assert_eq!(artifact(&ran), ("a", "source", text, json!({})), "{text:?}");
    }
}

#[test]
fn the_error_for_a_wrong_file_says_where_and_what_next() {
    for (name, file, expected) in [
        (
            "n/a.md",
            &b"---\na: 1\nb: [\n---\nx"[..],
            "n/a.md:3: the front matter cannot be read: ",
        ),
        (
            "a.md",
            b"---\na: 1\n",
            "a.md:1: the front matter has no closing line `---`; ",
        ),
        (
            "a.txt",
            b"ab\xc3",
            "a.txt: is not UTF-8 text: byte 2 is invalid; save it as UTF-8, ",
        ),
        (
            "a.txt",
            b"\xff\xfea\0b",
            "a.txt: is not UTF-16 text: byte 4 is invalid; ",
        ),
        (
            "a.txt",
            b"%PDF-1.7\n\xe2\xe3",
            "a.txt: is not UTF-8 text: byte 9 is invalid; it is a PDF: use `read = \"documents\"`",
        ),
        (
            "a.zip",
            b"PK\x03\x04\xff",
            "a.zip: is not UTF-8 text: byte 4 is invalid; it is a zip archive ",
        ),
    ] {
        let ran = run(name, file, "{}");
        assert!(message(&ran).starts_with(expected), "{}", message(&ran));
        assert!(ran.outputs.is_empty());
    }
}

/// A file that is larger than one call of the host returns.
#[test]
fn a_large_file_is_read_whole_and_a_larger_one_refused() {
    let text = "0123456789abcdef".repeat(200_000);
    assert_eq!(artifact(&run("a.txt", &text, "{}")).2, text);
    struct Sparse;
    impl synix_plugin::testing::FileBytes for Sparse {
        fn size(&self) -> u64 {
            64 * 1024 * 1024 + 1
        }
        fn read(&self, _: u64, _: u32) -> Vec<u8> {
            panic!("it is not read")
        }
    }
    assert_eq!(
        message(&read::<Text>("a.txt", Sparse, "{}")),
        "a.txt: is larger than 64 MiB"
    );
}

#[test]
fn each_setting_is_in_the_schema_with_a_description() {
    let schema: Value =
        serde_json::from_str(&ExportedReader::<Text>::described().config_schema).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    assert!(
        properties
            .values()
            .all(|property| property["description"].is_string())
    );
    assert_eq!(schema["additionalProperties"], json!(false));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), name in "(2026-0[0-9]-0[0-9])?[a.]{0,3}\\.(md|txt)") {
        let _ = note(&name, bytes);
    }

    #[test]
    fn a_plain_text_is_unchanged(text in "[^\u{feff}]\\PC{0,40}") {
        let read = note("a.txt", text.clone().into_bytes()).unwrap();
        prop_assert_eq!(read.text, text);
    }
}
