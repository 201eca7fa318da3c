//! JSON of strangers: a value that borrows from its text, and looks at it that never fail.
//!
//! A field that is absent, null or of another type is `None` or empty, because providers change their exports without
//! notice and one odd field must not lose a conversation. A text cannot exhaust the stack or the memory: values nested
//! deeper than 40 levels are read as null, and a text with more than two million values is an error.

mod parse;

use std::borrow::Cow;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

const NULL: Json<'static> = Json::Null;

impl<'a> Json<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        parse::parse(bytes)
    }

    /// Returns the member of an object, or null.
    pub(crate) fn get(&self, key: &str) -> &Json<'a> {
        self.members()
            .iter()
            .find(|(name, _)| name == key)
            .map_or(&NULL, |(_, value)| value)
    }

    /// Follows members from object to object.
    pub(crate) fn at(&self, keys: &[&str]) -> &Json<'a> {
        keys.iter().fold(self, |value, key| value.get(key))
    }

    pub(crate) fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        if let Json::Object(members) = self {
            members
        } else {
            &[]
        }
    }

    pub(crate) fn items(&self) -> &[Json<'a>] {
        if let Json::List(items) = self {
            items
        } else {
            &[]
        }
    }

    pub(crate) fn list(&self, key: &str) -> &[Json<'a>] {
        self.get(key).items()
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Json::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// Returns the text under `key`, unless it is blank.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)
            .as_text()
            .filter(|text| !text.trim().is_empty())
    }

    /// Returns the text or whole number under `key` as a text, for identifiers.
    pub(crate) fn id(&self, key: &str) -> Option<String> {
        self.get(key).as_id()
    }

    pub(crate) fn as_id(&self) -> Option<String> {
        if let Json::Whole(number) = self {
            return Some(number.to_string());
        }
        let text = self.as_text()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Returns the number under `key`, also where it is written as a text.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        let value = self.get(key);
        let written = || value.as_text()?.trim().parse().ok();
        value
            .as_number()
            .or_else(written)
            .filter(|number| number.is_finite())
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(*number),
            Json::Whole(number) => Some(*number as f64),
            Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => None,
        }
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        *self.get(key) == Json::Bool(true)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.members().iter().any(|(name, _)| name == key)
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Json::Object(_))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Json::List(_))
    }

    pub(crate) fn is_null(&self) -> bool {
        *self == Json::Null
    }

    /// Says in a few words what the value is, for an error about an unknown structure.
    pub(crate) fn shape(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Bool(_) => "a truth value".to_owned(),
            Json::Whole(_) | Json::Number(_) => "a number".to_owned(),
            Json::Text(_) => "a text".to_owned(),
            Json::List(items) => format!("a list of {}", items.len()),
            Json::Object(members) => {
                const SHOWN: usize = 8;
                let names: Vec<_> = members
                    .iter()
                    .take(SHOWN)
                    .map(|(name, _)| format!("`{}`", name.chars().take(40).collect::<String>()))
                    .collect();
                let more = if members.len() > SHOWN { ", …" } else { "" };
                format!("an object with {}{more}", names.join(", "))
            }
        }
    }

    /// Writes the value as JSON text for people and models, indented unless it is long.
    pub(crate) fn pretty(&self) -> String {
        // Many values deep within each other would be mostly space.
        const MAX_INDENTED_BYTES: usize = 16 * 1024;
        let compact = serde_json::to_string(self).unwrap_or_default();
        if compact.len() > MAX_INDENTED_BYTES {
            return compact;
        }
        serde_json::to_string_pretty(self).unwrap_or(compact)
    }
}

impl serde::Serialize for Json<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Whole(value) => serializer.serialize_i64(*value),
            Json::Number(value) => serializer.serialize_f64(*value),
            Json::Text(value) => serializer.serialize_str(value),
            Json::List(items) => serializer.collect_seq(items),
            Json::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_another_type_is_absent() {
        let value =
            Json::parse(br#"{"a": 5, "b": null, "c": ["x"], "d": " ", "n": "1.5", "t": 7}"#)
                .unwrap();
        assert_eq!(value.text("a"), None);
        assert_eq!(value.text("b"), None);
        assert_eq!(value.text("d"), None);
        assert_eq!(value.id("a").as_deref(), Some("5"));
        assert_eq!(value.number("n"), Some(1.5));
        assert_eq!(value.number("t"), Some(7.0));
        assert_eq!(value.number("c"), None);
        assert!(value.at(&["a", "b", "c"]).is_null());
        assert!(value.list("a").is_empty());
    }

    #[test]
    fn a_deep_value_is_cut_and_the_rest_is_read() {
        let deep = format!(
            r#"{{"a": {}{}, "b": "here"}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        let value = Json::parse(deep.as_bytes()).unwrap();
        assert_eq!(value.text("b"), Some("here"));
    }

    #[test]
    fn more_values_than_memory_allows_are_an_error() {
        let many = format!("[{}0]", "0,".repeat(2_000_001));
        let error = Json::parse(many.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("2000000 values"), "{error}");
    }

    #[test]
    fn the_shape_of_an_unknown_value_names_its_members() {
        let value = Json::parse(br#"{"a": 5, "b": null}"#).unwrap();
        assert_eq!(value.shape(), "an object with `a`, `b`");
    }
}
