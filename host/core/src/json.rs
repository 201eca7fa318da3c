//! Canonical JSON according to RFC 8785: each value has exactly one encoding.
//!
//! Object members are sorted by the UTF-16 code units of their names. Numbers are printed as ECMAScript prints them, and
//! strings with the shortest escapes.

use serde_json::{Map, Value};

/// The largest integer up to which a double represents every integer: 2^53 - 1.
pub const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// A number that canonical JSON cannot represent without loss.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the number {0} does not fit into a double; write it as a string")]
pub struct UnsafeNumber(pub serde_json::Number);

/// Returns the canonical text of `value`.
pub fn canonical(value: &Value) -> Result<String, UnsafeNumber> {
    let mut text = String::new();
    write_value(value, &mut text)?;
    Ok(text)
}

/// Returns the text of a config for its plugin. It is canonical, so equal configs are equal bytes.
///
/// A number without a canonical form is copied as written. A config with such a number is rejected earlier.
pub fn canonical_object(members: Map<String, Value>) -> String {
    let value = Value::Object(members);
    canonical(&value).unwrap_or_else(|_| value.to_string())
}

fn write_value(value: &Value, text: &mut String) -> Result<(), UnsafeNumber> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => write_number(number, text)?,
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write_value(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => write_object(members, text)?,
    }
    Ok(())
}

fn write_object(members: &Map<String, Value>, text: &mut String) -> Result<(), UnsafeNumber> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    text.push('{');
    for (position, (name, value)) in sorted.into_iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write_string(name, text);
        text.push(':');
        write_value(value, text)?;
    }
    text.push('}');
    Ok(())
}

fn write_number(number: &serde_json::Number, text: &mut String) -> Result<(), UnsafeNumber> {
    let safe = match (number.as_u64(), number.as_i64()) {
        (Some(integer), _) => integer <= MAX_SAFE_INTEGER,
        (None, Some(integer)) => integer.unsigned_abs() <= MAX_SAFE_INTEGER,
        (None, None) => true,
    };
    match number.as_f64() {
        Some(double) if safe && double.is_finite() => {
            text.push_str(ryu_js::Buffer::new().format_finite(double));
            Ok(())
        }
        _ => Err(UnsafeNumber(number.clone())),
    }
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            control if control < ' ' => {
                text.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_by_utf16_code_units() {
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        assert_eq!(
            canonical(&value).unwrap(),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn numbers_are_printed_as_ecmascript_prints_them() {
        let value = json!([
            333_333_333.333_333_3,
            1e30,
            4.50,
            2e-3,
            1e-27,
            -0.0,
            1.0,
            10,
            1e21
        ]);
        assert_eq!(
            canonical(&value).unwrap(),
            "[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1,10,1e+21]"
        );
    }

    #[test]
    fn an_integer_that_a_double_would_round_is_refused() {
        assert!(canonical(&json!(MAX_SAFE_INTEGER)).is_ok());
        assert!(canonical(&json!(MAX_SAFE_INTEGER + 1)).is_err());
        assert!(canonical(&json!(i64::MIN)).is_err());
    }

    #[test]
    fn equal_configs_are_equal_bytes_for_a_plugin() {
        let read = |text: &str| canonical_object(serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"b": 5.0, "a": 1e1}"#), r#"{"a":10,"b":5}"#);
        let unsafe_number = r#"{"a":18446744073709551615}"#;
        assert_eq!(read(unsafe_number), unsafe_number);
    }

    proptest! {
        #[test]
        fn canonical_text_survives_a_round_trip(name: String, text: String, number in -1.0e15..1.0e15) {
            let value = json!({name: [text, number, null, true]});
            let read: Value = serde_json::from_str(&canonical(&value).unwrap()).unwrap();
            prop_assert_eq!(canonical(&read).unwrap(), canonical(&value).unwrap());
        }
    }
}
