//! A reader of JSON as servers write it, which is not always JSON.
//!
//! What `serde_json` refuses is read here where its meaning is plain; what is
//! tolerated stands in `docs/replies.md`. Nothing recurses, so no document
//! can be too deep for the stack: a container beyond [`DEEPEST`] is passed over
//! and counts as null.

use std::fmt;

use serde_json::{Map, Number, Value};

/// As deep as `serde_json` goes; what is needed of a reply stands far above.
const DEEPEST: usize = 127;

/// Why a text is no JSON, however leniently it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where, in bytes from the start.
    pub(super) at: usize,
    what: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

/// Reads the value that a text starts with, and returns it with the place where it ends.
pub(super) fn value(text: &[u8]) -> Result<(Value, usize), Broken> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value()?;
    Ok((value, reader.at))
}

/// Returns the place of the first byte at or behind `at` that is no white space.
pub(super) fn skip_space(text: &[u8], at: usize) -> usize {
    let mut reader = Reader { text, at };
    reader.space();
    reader.at
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

/// A container that has begun.
enum Open {
    List(Vec<Value>),
    /// With the name of the member that comes next.
    Object(Map<String, Value>, String),
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value, Broken> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.space();
            let mut done = match self.peek() {
                None => return Err(self.broken("the text ends")),
                Some(b'"') => Value::String(self.string()?),
                Some(b'{' | b'[') if open.len() >= DEEPEST => {
                    self.pass_over()?;
                    Value::Null
                }
                Some(b'{') => {
                    self.at += 1;
                    if self.takes(b'}') {
                        Value::Object(Map::new())
                    } else {
                        let name = self.name()?;
                        open.push(Open::Object(Map::new(), name));
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    if self.takes(b']') {
                        Value::Array(Vec::new())
                    } else {
                        open.push(Open::List(Vec::new()));
                        continue;
                    }
                }
                Some(_) => self.word(open.is_empty())?,
            };
            loop {
                match open.pop() {
                    None => return Ok(done),
                    Some(Open::List(mut items)) => {
                        items.push(done);
                        if self.takes(b',') {
                            open.push(Open::List(items));
                            break;
                        }
                        self.expects(b']', "a comma or the end of a list is missing")?;
                        done = Value::Array(items);
                    }
                    Some(Open::Object(mut members, name)) => {
                        members.insert(name, done);
                        if self.takes(b',') {
                            let name = self.name()?;
                            open.push(Open::Object(members, name));
                            break;
                        }
                        self.expects(b'}', "a comma or the end of an object is missing")?;
                        done = Value::Object(members);
                    }
                }
            }
        }
    }

    /// Reads the name of a member and the colon behind it.
    fn name(&mut self) -> Result<String, Broken> {
        self.space();
        if self.peek() != Some(b'"') {
            return Err(self.broken("the name of a member is missing"));
        }
        let name = self.string()?;
        self.expects(b':', "a colon is missing")?;
        Ok(name)
    }

    /// Reads a literal or a number. What is neither, such as `NaN`, is null within a document.
    fn word(&mut self, alone: bool) -> Result<Value, Broken> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
        {
            self.at += 1;
        }
        let word = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        let number = || word.parse::<Number>().ok().map(Value::Number);
        match word {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ => match number() {
                Some(number) => Ok(number),
                None if alone || word.is_empty() => {
                    self.at = start;
                    Err(self.broken("a value is missing"))
                }
                None => Ok(Value::Null),
            },
        }
    }

    /// Reads a text; what Unicode cannot hold becomes U+FFFD.
    fn string(&mut self) -> Result<String, Broken> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return Err(self.broken("the text ends within a text"));
            };
            self.at += 1;
            match byte {
                b'"' => {
                    return Ok(match String::from_utf8(bytes) {
                        Ok(text) => text,
                        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
                    });
                }
                b'\\' => {
                    let character = self.escaped()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                other => bytes.push(other),
            }
        }
    }

    /// Reads what stands behind a backslash.
    fn escaped(&mut self) -> Result<char, Broken> {
        let Some(byte) = self.peek() else {
            return Err(self.broken("the text ends within a text"));
        };
        self.at += 1;
        Ok(match byte {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode(),
            b'"' | b'\\' | b'/' | b'\'' => char::from(byte),
            _ => {
                // No such escape: the mark stands for it, and what follows is text.
                self.at -= usize::from(!byte.is_ascii());
                char::REPLACEMENT_CHARACTER
            }
        })
    }

    /// Reads the digits behind `\u`, two units of them where they are one character.
    fn unicode(&mut self) -> char {
        let Some(unit) = self.hex() else {
            return char::REPLACEMENT_CHARACTER;
        };
        let is_high = (0xd800..0xdc00).contains(&unit);
        if is_high && self.text[self.at..].starts_with(b"\\u") {
            let behind = self.at;
            self.at += 2;
            match self.hex() {
                Some(low) if (0xdc00..0xe000).contains(&low) => {
                    let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                }
                // What is no second half is a character of its own.
                Some(_) | None => self.at = behind,
            }
        }
        char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// Reads four hexadecimal digits, or nothing.
    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let all = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| all)?;
        let unit = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }

    /// Passes over a container, however deep it is.
    fn pass_over(&mut self) -> Result<(), Broken> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
        Err(self.broken("the text ends"))
    }

    fn space(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(0xef) if self.text[self.at..].starts_with("\u{feff}".as_bytes()) => {
                    self.at += 3;
                }
                Some(_) | None => return,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expects(&mut self, byte: u8, what: &'static str) -> Result<(), Broken> {
        if self.takes(byte) {
            return Ok(());
        }
        let ended = self.peek().is_none();
        Err(self.broken(if ended { "the text ends" } else { what }))
    }

    fn broken(&self, what: &'static str) -> Broken {
        Broken { at: self.at, what }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use synix_test_edits as edits;

    fn read(text: impl AsRef<[u8]>) -> Value {
        value(text.as_ref()).unwrap().0
    }

    fn why(text: &str) -> String {
        value(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_unicode_cannot_hold_becomes_a_mark() {
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
    fn a_number_that_is_none_is_null() {
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
            assert!(depth(&read["x"]) < DEEPEST);
        }
    }

    #[test]
    fn what_follows_a_value_is_left() {
        let text = b" {\"a\": [1, {}]} data: [DONE]";
        let (value, end) = value(text).unwrap();
        assert_eq!((value, end), (json!({"a": [1, {}]}), 15));
    }

    #[test]
    fn what_has_no_plain_meaning_is_refused() {
        assert_eq!(why("[1,]"), "a value is missing at byte 3");
        assert_eq!(
            why(r#"{"a":1,}"#),
            "the name of a member is missing at byte 7"
        );
        assert_eq!(why(r#"{"a" 1}"#), "a colon is missing at byte 5");
        assert_eq!(
            why("[1 2]"),
            "a comma or the end of a list is missing at byte 3"
        );
        assert_eq!(why(r#"{"a":"b"#), "the text ends within a text at byte 7");
        assert_eq!(why(r#"{"a":["#), "the text ends at byte 6");
        for text in ["", "OK", "<html>", "{'a': 1}", "NaN", "[<b>]"] {
            assert!(value(text.as_bytes()).is_err(), "{text}");
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
        /// Where there is nothing to forgive, nothing is read otherwise.
        #[test]
        fn valid_json_is_read_as_serde_json_reads_it(document in documents(), pretty in any::<bool>()) {
            let text = if pretty {
                serde_json::to_string_pretty(&document).unwrap()
            } else {
                document.to_string()
            };
            prop_assert_eq!(value(text.as_bytes()), Ok((serde_json::from_str(&text).unwrap(), text.len())));
        }

        #[test]
        fn whatever_serde_json_reads_is_read_alike(edits in edits::edits()) {
            let seed = br#"{"a":[1,-2.5e3,"x\u00e9\n",{"b":null,"c":true}],"a":{},"d":""}"#;
            let text = edits::changed(seed, &edits);
            if let Ok(strict) = serde_json::from_slice::<Value>(&text) {
                prop_assert_eq!(value(&text).map(|(value, _)| value), Ok(strict));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((_, end)) = value(&bytes) {
                prop_assert!(end <= bytes.len());
            }
        }
    }
}
