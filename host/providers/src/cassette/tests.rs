use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::request;
use synix_core::request::{Ending, Usage, Wire};
use synix_test_edits as edits;

pub(super) fn answer(text: &str) -> Answer {
    Answer {
        text: text.to_owned(),
        ending: Ending::Complete,
        model: "gpt-4o-mini-2024-07-18".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    }
}

pub(super) fn cassette(pairs: &[(&str, &str)]) -> Cassette {
    let mut cassette = Cassette::empty();
    for (question, text) in pairs {
        cassette
            .insert(request(Wire::OpenAi, question), answer(text))
            .unwrap();
    }
    cassette
}

/// Saves a cassette of one entry, changes its text, and loads it.
fn load_changed(change: impl FnOnce(String) -> String) -> Result<Cassette, CassetteError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    cassette(&[("Hi", "Hello")]).save(&path).unwrap();
    let text = change(fs::read_to_string(&path).unwrap());
    synix_disk::replace(&path, text.as_bytes()).unwrap();
    Cassette::load(&path)
}

#[test]
fn a_text_of_several_lines_is_a_list_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    let mut cassette = cassette(&[("Sum up:\none\n", "Done.\nAll.")]);
    cassette.save(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let key = request(Wire::OpenAi, "Sum up:\none\n").key().unwrap();
    assert!(text.starts_with("{\n  \"schema\": 1,\n  \"note\": "));
    assert!(text.ends_with("}\n"));
    let file: Value = serde_json::from_str(&text).unwrap();
    let entry = &file["requests"][key.to_string()];
    assert_eq!(entry["answer"]["text"], json!(["Done.", "All."]));
    let parts = &entry["request"]["messages"][0]["parts"];
    assert_eq!(parts[0]["text"], json!(["Sum up:", "one", ""]));
}

#[test]
fn a_saved_cassette_is_loaded_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    let mut saved = cassette(&[("Hi", "Hello"), ("a\r\nb\n", "\nc\n\nd")]);
    saved.save(&path).unwrap();
    let loaded = Cassette::load(&path).unwrap();
    assert_eq!(loaded.entries, saved.entries);
    assert_eq!(loaded.digest(), saved.digest());
}

#[test]
fn saving_a_loaded_cassette_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    cassette(&[("Hi", "Hello")]).save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    Cassette::load(&path).unwrap().save(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn concurrent_recordings_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    std::thread::scope(|scope| {
        for question in ["a", "b", "c", "d"] {
            let path = &path;
            scope.spawn(move || cassette(&[(question, "Hello")]).save(path).unwrap());
        }
    });
    assert_eq!(Cassette::load(&path).unwrap().len(), 4);
}

#[test]
fn a_new_recording_replaces_that_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    cassette(&[("Hi", "old")]).save(&path).unwrap();
    cassette(&[("Hi", "new")]).save(&path).unwrap();
    let key = request(Wire::OpenAi, "Hi").key().unwrap();
    let loaded = Cassette::load(&path).unwrap();
    assert_eq!(loaded.get(&key).unwrap().text, "new");
}

#[test]
fn an_entry_that_another_process_deleted_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    cassette(&[("Hi", "Hello")]).save(&path).unwrap();
    let mut loaded = Cassette::load(&path).unwrap();
    fs::remove_file(&path).unwrap();
    cassette(&[("Ho", "Hello")]).save(&path).unwrap();
    loaded.save(&path).unwrap();
    assert_eq!(Cassette::load(&path).unwrap().len(), 1);
}

#[test]
fn an_edited_request_is_an_error_with_both_keys() {
    let error = load_changed(|text| text.replace("\"Hi\"", "\"Ho\"")).unwrap_err();
    let CassetteError::Edited { key, found, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(key, request(Wire::OpenAi, "Hi").key().unwrap());
    assert_eq!(found, request(Wire::OpenAi, "Ho").key().unwrap());
}

#[test]
fn an_edited_answer_is_used() {
    let cassette = load_changed(|text| text.replace("\"Hello\"", "\"Goodbye\"")).unwrap();
    let key = request(Wire::OpenAi, "Hi").key().unwrap();
    assert_eq!(cassette.get(&key).unwrap().text, "Goodbye");
}

#[test]
fn a_syntax_error_is_reported_with_line_and_column() {
    let error = load_changed(|text| text.replacen("  \"note\"", "<<<<<<< HEAD\n  \"note\"", 1));
    let CassetteError::Broken { line, column, .. } = error.unwrap_err() else {
        panic!("not broken");
    };
    assert_eq!((line, column), (3, 1));
}

#[test]
fn an_invalid_entry_is_reported_with_its_key() {
    let error = load_changed(|text| text.replace("\"Hello\"", "7")).unwrap_err();
    assert!(matches!(error, CassetteError::Entry { .. }), "{error:?}");
}

#[test]
fn another_schema_is_reported_before_unknown_members() {
    let error = load_changed(|text| text.replace("\"schema\": 1", "\"schema\": 2,\n  \"new\": []"));
    assert!(matches!(
        error,
        Err(CassetteError::Schema {
            found: 2,
            supported: 1,
            ..
        })
    ));
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let marked = load_changed(|text| format!("\u{feff}{text}")).unwrap();
    let plain = load_changed(|text| text).unwrap();
    assert_eq!(
        (marked.digest(), marked.len()),
        (plain.digest(), plain.len())
    );
    // A second one is not valid JSON.
    let twice = load_changed(|text| format!("\u{feff}\u{feff}{text}"));
    assert!(
        matches!(twice, Err(CassetteError::Broken { line: 1, .. })),
        "{twice:?}"
    );
}

/// A parsed document takes 20 times the memory of its text.
#[test]
fn an_entry_has_at_most_32_mebibytes() {
    const MAX_BYTES: usize = 32 << 20;
    let key = request(Wire::OpenAi, "Hi").key().unwrap();
    let load = |length: usize| {
        load_changed(|text| {
            let (_, answer) = text.split_once("\"answer\": ").unwrap();
            let end = answer.find("\n    }").unwrap();
            let rest = length - (end - "Hello".len());
            text.replace("\"Hello\"", &format!("\"{}\"", "x".repeat(rest)))
        })
    };
    let loaded = load(MAX_BYTES).unwrap();
    assert!(loaded.get(&key).unwrap().text.len() > MAX_BYTES - 1000);
    let error = load(MAX_BYTES + 1).unwrap_err();
    let CassetteError::EntryTooLong {
        key: reported,
        max_bytes,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((*reported, *max_bytes), (key, MAX_BYTES));
    assert!(error.to_string().contains("c.json"), "{error}");
}

#[test]
fn a_missing_file_is_an_error() {
    let error = Cassette::load(Path::new("/nowhere/c.json")).unwrap_err();
    assert!(matches!(error, CassetteError::Missing { .. }));
}

#[test]
fn a_changed_answer_changes_the_digest() {
    let digest = |text| cassette(&[("Hi", text)]).digest();
    assert_ne!(digest("Hello"), digest("Hello "));
    assert_ne!(Cassette::empty().digest(), digest("Hello"));
}

proptest! {
    #[test]
    fn a_corrupted_cassette_is_read_or_reported_with_its_path(edits in edits::edits()) {
        let good = cassette(&[("Sum up:\none\n", "Done.\nAll."), ("Hi", "Hello")]);
        let text = format::write(None, &good.entries);
        let bytes = edits::changed(text.as_bytes(), &edits);
        match Cassette::read(Path::new("c.json"), &bytes) {
            // The keys prove that no request has changed.
            Ok(read) => prop_assert!(read.entries.keys().all(|key| good.get(key).is_some())),
            Err(error) => prop_assert!(error.to_string().contains("c.json"), "{error}"),
        }
    }
}
