//! Reads a JSON value so that no number changes: one that a double cannot hold becomes a text.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// The largest whole number up to which a double holds each one.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
/// Levels that are read where a number needs its own text; the parser itself refuses 128.
const MAX_LEVELS: usize = 100;

/// The most values in a row. Each one costs some hundred bytes beside its text, and `0,` has two.
const MAX_VALUES: usize = 250_000;

/// Reads a value.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    // A shorter text cannot have so many: nearly all rows need no count.
    if bytes.len() > MAX_VALUES && count_values(bytes) > MAX_VALUES {
        return Err(format!("it has more than {MAX_VALUES} values"));
    }
    match serde_json::from_slice::<Exact>(bytes) {
        Ok(Exact(value)) => Ok(value),
        // Only the text of the number says what it is, and keeping texts costs time.
        Err(error) if error.is_data() => {
            let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| words(&error))?;
            by_text(raw, MAX_LEVELS)
        }
        Err(error) => Err(words(&error)),
    }
}

/// Counts the values of a JSON text without parsing it: each one is the first in a bracket, or follows a comma.
fn count_values(bytes: &[u8]) -> usize {
    let mut count = 1;
    let mut is_text = false;
    let mut is_escape = false;
    for byte in bytes {
        match byte {
            _ if is_escape => is_escape = false,
            b'\\' => is_escape = is_text,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => count += 1,
            _ => {}
        }
    }
    count
}

/// Returns the parser's words without the line, which counts from the start of the value.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((text, _)) => format!("{text} at its byte {}", error.column()),
        None => text,
    }
}

fn by_text(raw: &RawValue, levels: usize) -> Result<Value, String> {
    let text = raw.get();
    let error = |error: serde_json::Error| words(&error);
    if levels == 0 {
        return Err(format!("it has more than {MAX_LEVELS} levels"));
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text).map_err(error)?;
            let members = members.0.into_iter();
            members
                .map(|(name, raw)| Ok((name, by_text(raw, levels - 1)?)))
                .collect::<Result<Map<_, _>, String>>()
                .map(Value::Object)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(error)?;
            let items = items.into_iter();
            items
                .map(|raw| by_text(raw, levels - 1))
                .collect::<Result<_, _>>()
                .map(Value::Array)
        }
        _ => match serde_json::from_str::<Exact>(text) {
            Ok(Exact(value)) => Ok(value),
            Err(_) if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Ok(Value::String(text.to_owned()))
            }
            Err(found) => Err(error(found)),
        },
    }
}

/// The members of an object in their order, with the texts of their values.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// A value whose numbers are all exact; others are an error.
struct Exact(Value);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExactVisitor).map(Self)
    }
}

struct ExactVisitor;

impl<'de> Visitor<'de> for ExactVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(if number <= MAX_SAFE_INTEGER {
            number.into()
        } else {
            number.to_string().into()
        })
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(if number.unsigned_abs() <= MAX_SAFE_INTEGER {
            number.into()
        } else {
            number.to_string().into()
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 - 1 is a double")]
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        match Number::from_f64(number) {
            Some(exact) if number.abs() <= MAX_SAFE_INTEGER as f64 => Ok(Value::Number(exact)),
            _ => Err(E::custom("a number that a double cannot hold")),
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Exact(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Exact(value))) = members.next_entry()? {
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_beyond_2_to_the_53_are_texts_with_each_digit() {
        let row = br#"{"a": 9007199254740991, "b": 9007199254740993, "c": -9007199254740993,
            "d": [123456789012345678901234567890, 1.5], "e": {"f": 1e400}, "g": 0.1, "h": "x"}"#;
        let expected = json!({
            "a": 9_007_199_254_740_991_u64, "b": "9007199254740993", "c": "-9007199254740993",
            "d": ["123456789012345678901234567890", 1.5], "e": {"f": "1e400"}, "g": 0.1, "h": "x"
        });
        assert_eq!(parse(row), Ok(expected));
    }

    #[test]
    fn values_are_counted_outside_of_texts() {
        for (text, count) in [
            ("1", 1),
            (r#"{"a": 1, "b": [2, 3]}"#, 5),
            (r#"["a,[{\\", "\",["]"#, 3),
        ] {
            assert!(count_values(text.as_bytes()) >= count, "{text}");
            assert!(count_values(text.as_bytes()) <= count + 1, "{text}");
        }
        let commas = format!("\"{}\"", ",".repeat(MAX_VALUES));
        assert!(parse(commas.as_bytes()).is_ok());
        let values = format!("[{}0]", "0,".repeat(MAX_VALUES));
        let why = "it has more than 250000 values".to_owned();
        assert_eq!(parse(values.as_bytes()), Err(why));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        let deep = "[".repeat(200) + "1e400" + &"]".repeat(200);
        for text in [
            "",
            "{",
            "{\"a\":}",
            "nope",
            "[1,]",
            "\"\\x\"",
            "{\"a\":1e400,}",
            &deep,
            "01",
            "-",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"{\"a\": \"\xff\"}").is_err());
        assert_eq!(
            parse(b"{\"a\": oops}"),
            Err("expected value at its byte 7".to_owned())
        );
    }
}
