//! Reads a JSON text as a value, and refuses what two readers could understand differently.
//!
//! A plugin receives the text, and the host checks the value. If a member occurs twice, or a number is too large for a
//! double, the plugin could see another value than the one that was checked.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::Problem;

/// Reads a text that [`super::scan`] accepted.
pub(crate) fn read(text: &str) -> Result<Value, Problem> {
    let mut reading = Reading::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Node(&mut reading)
        .deserialize(&mut deserializer)
        .map_err(|error| reading.problem(&error))
}

enum Step {
    Item(usize),
    Member(String),
}

/// Where the reader is. An error leaves the path as it is.
#[derive(Default)]
struct Reading {
    path: Vec<Step>,
    has_duplicate: bool,
}

impl Reading {
    fn problem(self, error: &serde_json::Error) -> Problem {
        let (expected, found) = if self.has_duplicate {
            ("each member once", "a member that occurs twice")
        } else if error.to_string().starts_with("number out of range") {
            ("a number that fits a double", "a number out of range")
        } else {
            ("a string without half a character", "an invalid escape")
        };
        let mut pointer = String::new();
        for step in self.path {
            pointer.push('/');
            match step {
                Step::Item(position) => pointer.push_str(&position.to_string()),
                Step::Member(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
            }
        }
        Problem::new(pointer, expected, found)
    }
}

struct Node<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            self.0.path.push(Step::Item(values.len()));
            let item = items.next_element_seed(Node(self.0))?;
            self.0.path.pop();
            match item {
                Some(item) => values.push(item),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.0.path.push(Step::Member(name.clone()));
            if values.contains_key(&name) {
                self.0.has_duplicate = true;
                return Err(A::Error::custom("a member occurs twice"));
            }
            let value = members.next_value_seed(Node(self.0))?;
            self.0.path.pop();
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_serde_json_reads_them() {
        for text in [
            r#"{"a": [1, -2, 2.5, 1e300, "ä\u00e4\ud83d\ude00", true, null], "": {}}"#,
            "18446744073709551615",
            "123456789012345678901234567890",
            "-0",
        ] {
            let expected: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_readers_understand_differently_is_refused_with_its_place() {
        for (text, message) in [
            (
                r#"{"a": [{"b": 1, "b": 1}]}"#,
                "at /a/0/b: expected each member once, found a member that occurs twice",
            ),
            (
                r#"{"a": 1, "\u0061": 2}"#,
                "at /a: expected each member once, found a member that occurs twice",
            ),
            (
                r#"{"a/b~": [0, 1e400]}"#,
                "at /a~1b~0/1: expected a number that fits a double, found a number out of range",
            ),
            (
                r#"["\ud800"]"#,
                "at /0: expected a string without half a character, found an invalid escape",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
