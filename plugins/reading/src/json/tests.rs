use std::io::{self, BufReader, Cursor, Read};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Returns the elements as texts, and what ended them.
fn elements(bytes: &[u8], parts: &str) -> (Vec<String>, Option<String>) {
    elements_of(bytes, parts)
}

fn elements_of(reader: impl Read, parts: &str) -> (Vec<String>, Option<String>) {
    let mut found = Vec::new();
    // A chunk of 3 bytes ends in each state of the scanner.
    let reader = BufReader::with_capacity(3, reader);
    let mut elements = match Elements::at(reader, &pointer(parts).unwrap()) {
        Ok(elements) => elements,
        Err(fault) => return (found, Some(fault.to_string())),
    };
    loop {
        match elements.next() {
            Ok(Some(element)) => {
                assert_eq!(element.number, found.len() as u64 + 1);
                found.push(String::from_utf8_lossy(element.bytes).into_owned());
            }
            Ok(None) => return (found, None),
            Err(fault) => {
                assert!(elements.next().unwrap().is_none());
                return (found, Some(fault.to_string()));
            }
        }
    }
}

#[test]
fn the_elements_of_an_array_are_lent_one_by_one() {
    for (text, expected) in [
        ("[]", vec![]),
        (" [ ] \n", vec![]),
        (
            r#"[1,"a",null,{"b":[1]}]"#,
            vec!["1", r#""a""#, "null", r#"{"b":[1]}"#],
        ),
        (
            r#"[ "]", "\"]", "\\" ]"#,
            vec![r#""]""#, r#""\"]""#, r#""\\""#],
        ),
        (r#"[{"a":"}"},[[]],{}]"#, vec![r#"{"a":"}"}"#, "[[]]", "{}"]),
        ("[1.5e3 ,true\n]", vec!["1.5e3", "true"]),
        ("[1][2,3]\n[]", vec!["1", "2", "3"]),
    ] {
        let (found, fault) = elements(text.as_bytes(), "");
        assert_eq!(
            (found, fault),
            (expected.iter().map(ToString::to_string).collect(), None),
            "{text}"
        );
    }
}

#[test]
fn values_may_follow_each_other() {
    for text in [
        "{\"a\":1}\n{\"a\":2}",
        "{\"a\":1}{\"a\":2} ",
        "\x1e{\"a\":1}\n\x1e{\"a\":2}\n",
    ] {
        let (found, fault) = elements(text.as_bytes(), "");
        assert_eq!(
            (found, fault),
            (vec!["{\"a\":1}".to_owned(), "{\"a\":2}".to_owned()], None),
            "{text}"
        );
    }
    assert_eq!(elements(b"12 34", "").0, ["12", "34"]);
    assert_eq!(elements(b"", "").0, [""; 0]);
}

#[test]
fn a_pointer_leads_into_objects_and_arrays() {
    let file = br#"{"a": {"x": "}]"}, "b/c": [0, {"~": [1, 2]}], "d": {"e": 5}, "\u0066": [6]}"#;
    assert_eq!(elements(file, "/b~1c/1/~0").0, ["1", "2"]);
    assert_eq!(elements(file, "/d").0, [r#"{"e": 5}"#]);
    assert_eq!(elements(file, "/d/e").0, ["5"]);
    assert_eq!(elements(file, "/f").0, ["6"]);
}

#[test]
fn the_error_for_a_pointer_names_what_is_there() {
    let file = br#"{"a": {"x": 1, "y": 2}}"#;
    for (parts, message) in [
        ("/b", "there is nothing at `/b`; there are `a`"),
        ("/a/z/q", "there is nothing at `/a/z`; there are `x`, `y`"),
        ("/a/x/y", "there is nothing at `/a/x/y`"),
    ] {
        assert_eq!(elements(file, parts).1.as_deref(), Some(message));
    }
    assert_eq!(
        elements(b"[1]", "/1").1.as_deref(),
        Some("there is nothing at `/1`")
    );
    assert_eq!(
        pointer("a.b"),
        Err("the pointer `a.b` does not begin with `/`: write `/a/b`".to_owned())
    );
}

#[test]
fn an_odd_element_loses_nothing_but_itself() {
    for (text, expected) in [
        (r#"[1,{"a": oops},2]"#, vec!["1", r#"{"a": oops}"#, "2"]),
        (r#"[{"a":[1},{"b":2}]"#, vec![r#"{"a":[1}"#, r#"{"b":2}"#]),
        ("[nope,\"a\nb\",2]", vec!["nope", "\"a\nb\"", "2"]),
        ("[1,,2,]", vec!["1", "2"]),
        ("[1 2]", vec!["1", "2"]),
    ] {
        let (found, fault) = elements(text.as_bytes(), "");
        assert_eq!(
            (found, fault),
            (expected.iter().map(ToString::to_string).collect(), None),
            "{text}"
        );
    }
}

#[test]
fn what_is_whole_of_a_cut_array_is_read() {
    for (text, count, offset) in [
        (&br#"[{"a":1},{"b":"#[..], 1, 14),
        (br#"[{"a":1},"#, 1, 9),
        (br#"[{"a":1}"#, 1, 8),
        (br#"["a","b"#, 1, 7),
        (b"[", 0, 1),
    ] {
        let (found, fault) = elements(text, "");
        assert_eq!(found.len(), count);
        assert_eq!(fault, Some(format!("the file is cut off at byte {offset}")));
    }
    // The end of a number is not known.
    assert_eq!(elements(b"[1,23", "").0, ["1", "23"]);
}

#[test]
fn what_follows_the_array_is_an_error_with_its_place() {
    for (text, message) in [
        (
            "[1] x",
            "byte 4 is `x`, where the end of the file is expected",
        ),
        ("[1}", "byte 2 is `}`, where an element or `]` is expected"),
        (
            "[1]\0",
            "byte 3 is 0x00, where the end of the file is expected",
        ),
        ("}", "byte 0 is `}`, where a value is expected"),
    ] {
        assert_eq!(elements(text.as_bytes(), "").1.as_deref(), Some(message));
    }
}

#[test]
fn an_element_that_is_too_long_is_passed_over() {
    let long = io::repeat(b'x').take(MAX_VALUE_BYTES as u64 - 1);
    let file = Cursor::new("[1,\"").chain(long).chain(Cursor::new("\",2]"));
    let mut elements = Elements::new(BufReader::new(file)).unwrap();
    assert_eq!(elements.next().unwrap().unwrap().bytes, b"1");
    let fault = elements.next().unwrap_err();
    assert!(matches!(fault, Fault::TooLong { offset: 3, .. }), "{fault}");
    assert_eq!(elements.next().unwrap().unwrap().number, 3);
    assert!(elements.next().unwrap().is_none());
}

/// Nothing is recursive, and only the parser refuses it.
#[test]
fn deep_nesting_is_scanned() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let file = format!("[{deep},{{\"a\":{deep}}},3]");
    let (found, fault) = elements_of(file.as_bytes(), "");
    assert_eq!((found.len(), fault), (3, None));
    assert!(serde_json::from_str::<Value>(&found[0]).is_err());
    let unclosed = "{\"a\":[".repeat(100_000);
    assert!(elements(unclosed.as_bytes(), "").1.is_some());
    let crossed = "[".repeat(2000) + &"}".repeat(100_000);
    assert!(elements(crossed.as_bytes(), "").1.is_some());
}

#[test]
fn lines_have_numbers_and_the_last_may_be_cut() {
    let mut lines = Lines::new(BufReader::with_capacity(2, &b"a\r\n\nbc\nd"[..]));
    let mut found = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        found.push((line.bytes.to_vec(), line.number, line.is_ended));
    }
    let expected = [
        (&b"a"[..], 1, true),
        (b"", 2, true),
        (b"bc", 3, true),
        (b"d", 4, false),
    ];
    assert_eq!(
        found,
        expected.map(|(bytes, number, is_ended)| (bytes.to_vec(), number, is_ended))
    );
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let long = io::repeat(b'x').take(MAX_VALUE_BYTES as u64 + 1);
    let mut lines = Lines::new(BufReader::new(long.chain(&b"\nb\n"[..])));
    assert!(lines.next().unwrap_err().is_passable());
    let line = lines.next().unwrap().unwrap();
    assert_eq!((line.bytes, line.number), (&b"b"[..], 2));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[\\[\\]{}\",\\\\a\u{e9}\n]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c{}\"]{0,3}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_elements_are_those_that_a_parser_finds(values in prop::collection::vec(any_json(), 0..6), is_pretty: bool) {
        let array = Value::from(values.clone());
        let text = if is_pretty { serde_json::to_string_pretty(&array) } else { serde_json::to_string(&array) }.unwrap();
        let inner = format!("{{\"x\":{text},\"a\":[{text}]}}");
        for (file, parts) in [(&text, ""), (&inner, "/a/0")] {
            let (found, fault) = elements(file.as_bytes(), parts);
            prop_assert_eq!(fault, None);
            let found: Vec<Value> = found.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
            prop_assert_eq!(&found, &values);
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_loop(bytes in "[\\[\\]{}\",:\\\\ \na1]{0,40}", parts in "(/[a1])?") {
        let (found, _) = elements(bytes.as_bytes(), &parts);
        prop_assert!(found.len() <= bytes.len());
    }

    #[test]
    fn a_cut_file_gives_the_elements_before_the_cut(values in prop::collection::vec(any_json(), 1..5), cut: prop::sample::Index) {
        let text = json!(values).to_string();
        let cut = &text.as_bytes()[..cut.index(text.len())];
        let (found, fault) = elements(cut, "");
        prop_assert!(fault.is_some() || found.len() <= 1 || cut.last().is_some_and(u8::is_ascii_alphanumeric));
        for (found, value) in found.iter().zip(&values).take(found.len().saturating_sub(1)) {
            prop_assert_eq!(&serde_json::from_str::<Value>(found).unwrap(), value);
        }
    }
}
