use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::request;
use synix_core::request::{Ending, Part, Usage, Wire};
use synix_test_edits as edits;

fn answer(text: &str) -> Answer {
    Answer {
        text: text.to_owned(),
        ending: Ending::Complete,
        model: "gpt-4o-mini-2024-07-18".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    }
}

fn cassette(pairs: &[(&str, &str)]) -> Cassette {
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
fn the_file_is_made_for_diffs() {
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
fn what_was_saved_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    let mut saved = cassette(&[("Hi", "Hello"), ("a\r\nb\n", "\nc\n\nd")]);
    saved.save(&path).unwrap();
    let loaded = Cassette::load(&path).unwrap();
    assert_eq!(loaded.entries, saved.entries);
    assert_eq!(loaded.digest(), saved.digest());
}

#[test]
fn saving_what_was_loaded_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    cassette(&[("Hi", "Hello")]).save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    Cassette::load(&path).unwrap().save(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn two_recorders_lose_nothing() {
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
fn a_new_recording_wins_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    cassette(&[("Hi", "old")]).save(&path).unwrap();
    cassette(&[("Hi", "new")]).save(&path).unwrap();
    let key = request(Wire::OpenAi, "Hi").key().unwrap();
    let loaded = Cassette::load(&path).unwrap();
    assert_eq!(loaded.get(&key).unwrap().text, "new");
}

#[test]
fn what_was_only_loaded_does_not_come_back() {
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
fn an_edited_request_is_named() {
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
fn a_broken_file_is_named_with_its_place() {
    let error = load_changed(|text| text.replacen("  \"note\"", "<<<<<<< HEAD\n  \"note\"", 1));
    let CassetteError::Broken { line, column, .. } = error.unwrap_err() else {
        panic!("not broken");
    };
    assert_eq!((line, column), (3, 1));
}

#[test]
fn an_entry_of_another_shape_is_named() {
    let error = load_changed(|text| text.replace("\"Hello\"", "7")).unwrap_err();
    assert!(matches!(error, CassetteError::Entry { .. }), "{error:?}");
}

#[test]
fn a_later_schema_is_named_whatever_else_is_new() {
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

/// Editors and Windows tools put one there.
#[test]
fn a_byte_order_mark_changes_nothing() {
    let marked = load_changed(|text| format!("\u{feff}{text}")).unwrap();
    let plain = load_changed(|text| text).unwrap();
    assert_eq!(
        (marked.digest(), marked.len()),
        (plain.digest(), plain.len())
    );
    // A second one is text, which is no JSON.
    let twice = load_changed(|text| format!("\u{feff}\u{feff}{text}"));
    assert!(
        matches!(twice, Err(CassetteError::Broken { line: 1, .. })),
        "{twice:?}"
    );
}

/// A document takes twenty times the text that it is read from.
#[test]
fn an_entry_has_thirty_two_mebibytes_at_most() {
    const MOST: usize = 32 << 20;
    let key = request(Wire::OpenAi, "Hi").key().unwrap();
    let load = |length: usize| {
        load_changed(|text| {
            let (_, answer) = text.split_once("\"answer\": ").unwrap();
            let end = answer.find("\n    }").unwrap();
            let rest = length - (end - "Hello".len());
            text.replace("\"Hello\"", &format!("\"{}\"", "x".repeat(rest)))
        })
    };
    let loaded = load(MOST).unwrap();
    assert!(loaded.get(&key).unwrap().text.len() > MOST - 1000);
    let error = load(MOST + 1).unwrap_err();
    let CassetteError::EntryTooLong {
        key: named, most, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((*named, *most), (key, MOST));
    assert!(error.to_string().contains("c.json"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Cassette::load(Path::new("/nowhere/c.json")).unwrap_err();
    assert!(matches!(error, CassetteError::Missing { .. }));
}

#[test]
fn any_change_of_an_answer_changes_the_digest() {
    let digest = |text| cassette(&[("Hi", text)]).digest();
    assert_ne!(digest("Hello"), digest("Hello "));
    assert_ne!(Cassette::empty().digest(), digest("Hello"));
}

#[test]
fn the_nearest_request_is_shown_with_the_line_that_differs() {
    let cassette = cassette(&[
        ("Describe Alice.\nShe sails.\nBe brief.", "x"),
        ("Translate into French.", "x"),
    ]);
    let asked = Request {
        temperature: Some(0.5),
        ..request(Wire::OpenAi, "Describe Alice.\nShe rows.\nBe brief.")
    };
    let (_, nearest, difference) = cassette.nearest(&asked).unwrap();
    assert_eq!(
        nearest,
        &request(Wire::OpenAi, "Describe Alice.\nShe sails.\nBe brief.")
    );
    let expected = "messages: first difference in message 1 (user), line 2\n  \
        recorded: \"She sails.\"\n  asked:    \"She rows.\"\ntemperature: recorded null, asked 0.5";
    assert_eq!(difference, expected);
}

#[test]
fn among_equal_texts_the_one_with_equal_settings_is_nearest() {
    let mut cassette = Cassette::empty();
    for model in ["a", "b", "c", "d"] {
        for temperature in [0.1, 0.2] {
            let request = Request {
                model: model.to_owned(),
                temperature: Some(temperature),
                ..request(Wire::OpenAi, "Hi")
            };
            cassette.insert(request, answer("x")).unwrap();
        }
    }
    let asked = Request {
        model: "c".to_owned(),
        temperature: Some(0.3),
        ..request(Wire::OpenAi, "Hi")
    };
    let (_, nearest, difference) = cassette.nearest(&asked).unwrap();
    assert_eq!(nearest.model, "c");
    assert!(
        difference.starts_with("temperature: recorded 0."),
        "{difference}"
    );
}

#[test]
fn nothing_is_near_an_empty_cassette() {
    assert!(
        Cassette::empty()
            .nearest(&request(Wire::OpenAi, "Hi"))
            .is_none()
    );
}

#[test]
fn a_difference_far_into_a_long_line_is_shown() {
    let long = "x".repeat(5000);
    let cassette = cassette(&[(&format!("{long}a"), "x")]);
    let (_, _, difference) = cassette
        .nearest(&request(Wire::OpenAi, &format!("{long}b")))
        .unwrap();
    assert!(
        difference.contains("xa\"") && difference.contains("xb\""),
        "{difference}"
    );
    assert!(difference.len() < 500);
}

#[test]
fn a_missing_last_line_is_shown_as_nothing() {
    let cassette = cassette(&[("one\ntwo", "x")]);
    let (_, _, difference) = cassette.nearest(&request(Wire::OpenAi, "one")).unwrap();
    assert!(
        difference.ends_with("recorded: \"two\"\n  asked:    (nothing)"),
        "{difference}"
    );
}

#[test]
fn parts_that_were_cut_otherwise_are_named() {
    let cassette = cassette(&[("one two", "x")]);
    let mut asked = request(Wire::OpenAi, "one ");
    asked.messages[0].parts.push(Part::Text("two".to_owned()));
    let (_, _, difference) = cassette.nearest(&asked).unwrap();
    assert_eq!(difference, "messages: the same text in other parts");
}

proptest! {
    #[test]
    fn a_changed_cassette_is_read_or_refused_with_its_name(edits in edits::edits()) {
        let good = cassette(&[("Sum up:\none\n", "Done.\nAll."), ("Hi", "Hello")]);
        let text = format::write(None, &good.entries);
        let bytes = edits::changed(text.as_bytes(), &edits);
        match Cassette::read(Path::new("c.json"), &bytes) {
            // What is read is what was asked: only answers can have changed.
            Ok(read) => prop_assert!(read.entries.keys().all(|key| good.get(key).is_some())),
            Err(error) => prop_assert!(error.to_string().contains("c.json"), "{error}"),
        }
    }
}
