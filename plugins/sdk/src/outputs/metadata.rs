//! The rules for members of an answer that become metadata.

use serde_json::Value;

use crate::MetadataEntry;

/// The maximum number of characters of a metadata key in the contract.
const KEY_CHARS: usize = 128;

/// The largest integer up to which a double represents every integer.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

pub(super) fn is_same(entry: &MetadataEntry, value: &Value) -> bool {
    serde_json::from_str::<Value>(&entry.value).is_ok_and(|there| there == *value)
}

pub(super) fn fault_of_key(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        Some("is empty")
    } else if key.chars().any(char::is_control) {
        Some("has a control character")
    } else if key.chars().nth(KEY_CHARS).is_some() {
        Some("has more than 128 characters")
    } else {
        None
    }
}

/// Returns a number that metadata cannot represent without loss.
pub(super) fn unsafe_number(value: &Value) -> Option<&serde_json::Number> {
    match value {
        Value::Number(number) => {
            let double = number.as_f64().unwrap_or(f64::INFINITY);
            let is_whole = number.is_u64() || number.is_i64();
            (!double.is_finite() || (is_whole && double.abs() > MAX_SAFE_INTEGER)).then_some(number)
        }
        Value::Array(items) => items.iter().find_map(unsafe_number),
        Value::Object(members) => members.values().find_map(unsafe_number),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}
