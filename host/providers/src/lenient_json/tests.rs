use proptest::prelude::*;
use serde_json::json;

use super::*;
use synix_test_edits as edits;

fn read(text: impl AsRef<[u8]>) -> Value {
    parse_value(text.as_ref()).unwrap().0
}

fn error(text: &str) -> String {
    parse_value(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn invalid_unicode_becomes_a_replacement_character() {
    assert_eq!(read(r#""a\ud83d""#), json!("a\u{fffd}"));
    assert_eq!(read(r#""\ud83d\ude00""#), json!("\u{1f600}"));
    assert_eq!(read(r#""\ud83d\u0041""#), json!("\u{fffd}A"));
    assert_eq!(read(r#""\ude00\ud83d""#), json!("\u{fffd}\u{fffd}"));
    assert_eq!(read(r#""\u12G4""#), json!("\u{fffd}12G4"));
    assert_eq!(read(b"\"a\xffb\""), json!("a\u{fffd}b"));
    assert_eq!(read("\"\\é\""), json!("\u{fffd}é"));
    assert_eq!(read("\"a\nb\tc\u{1}\""), json!("a\nb\tc\u{1}"));
}

#[test]
fn an_invalid_number_is_null() {
    for number in [
        "NaN",
        "-Infinity",
        "Infinity",
        "nan",
        "1e999",
        "01",
        "+1",
        ".5",
        "None",
    ] {
        let text = format!(r#"{{"x": {number}, "y": 7}}"#);
        assert_eq!(read(&text), json!({"x": null, "y": 7}), "{number}");
    }
}

#[test]
fn a_container_that_is_too_deep_is_null() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = |levels: usize| format!("{}0{}", open.repeat(levels), close.repeat(levels));
        let text = format!(r#"{{"x": {}, "y": 7}}"#, deep(100_000));
        let read = read(&text);
        assert_eq!(read["y"], 7);
        let depth = |mut value: &Value| {
            let mut depth = 0;
            while let Some(inner) = value.get(0).or_else(|| value.get("a")) {
                (value, depth) = (inner, depth + 1);
            }
            depth
        };
        assert!(depth(&read["x"]) < MAX_DEPTH);
    }
}

#[test]
fn text_after_a_value_is_not_read() {
    let text = b" {\"a\": [1, {}]} data: [DONE]";
    let (value, end) = parse_value(text).unwrap();
    assert_eq!((value, end), (json!({"a": [1, {}]}), 15));
}

#[test]
fn an_ambiguous_document_is_an_error() {
    assert_eq!(error("[1,]"), "a value is missing at byte 3");
    assert_eq!(
        error(r#"{"a":1,}"#),
        "the name of a member is missing at byte 7"
    );
    assert_eq!(error(r#"{"a" 1}"#), "a colon is missing at byte 5");
    assert_eq!(
        error("[1 2]"),
        "a comma or the end of a list is missing at byte 3"
    );
    assert_eq!(
        error(r#"{"a":"b"#),
        "the text ends within a string at byte 7"
    );
    assert_eq!(error(r#"{"a":["#), "the text ends at byte 6");
    for text in ["", "OK", "<html>", "{'a': 1}", "NaN", "[<b>]"] {
        assert!(parse_value(text.as_bytes()).is_err(), "{text}");
    }
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e300_f64..1e300).prop_map(Value::from),
        "\\PC*".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    /// Leniency must not change how a valid document is read.
    #[test]
    fn valid_json_is_read_as_serde_json_reads_it(document in documents(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&document).unwrap()
        } else {
            document.to_string()
        };
        prop_assert_eq!(parse_value(text.as_bytes()), Ok((serde_json::from_str(&text).unwrap(), text.len())));
    }

    #[test]
    fn a_document_that_serde_json_accepts_is_read_alike(edits in edits::edits()) {
        let seed = br#"{"a":[1,-2.5e3,"x\u00e9\n",{"b":null,"c":true}],"a":{},"d":""}"#;
        let text = edits::changed(seed, &edits);
        if let Ok(strict) = serde_json::from_slice::<Value>(&text) {
            prop_assert_eq!(parse_value(&text).map(|(value, _)| value), Ok(strict));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok((_, end)) = parse_value(&bytes) {
            prop_assert!(end <= bytes.len());
        }
    }
}
