//! JSON of strangers: a value that borrows from its text, and looks at it that never fail.
//!
//! A field that is absent, null or of another type is `None` or empty, because providers change their exports without
//! notice and one odd field must not lose a conversation. A text cannot exhaust the stack or the memory: values nested
//! deeper than [`MAX_DEPTH`] are read as null, and a text with more than [`MAX_VALUES`] values is an error.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// Deeper than any known export; a guest has 64 KiB of stack.
const MAX_DEPTH: u32 = 40;
/// A value takes some 30 bytes in a guest, which has 256 MiB.
const MAX_VALUES: u32 = 2_000_000;

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
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let left = Cell::new(MAX_VALUES);
        let value = Seed {
            depth: 0,
            left: &left,
        }
        .deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
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

    /// Writes the value as JSON text, indented, for people and models.
    pub(crate) fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
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

#[derive(Clone, Copy)]
struct Seed<'c> {
    depth: u32,
    left: &'c Cell<u32>,
}

impl<'c> Seed<'c> {
    fn deeper(self) -> Self {
        Seed {
            depth: self.depth + 1,
            left: self.left,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        let left = self.left.get();
        if left == 0 {
            return Err(D::Error::custom(format!("more than {MAX_VALUES} values")));
        }
        self.left.set(left - 1);
        if self.depth >= MAX_DEPTH {
            deserializer.deserialize_ignored_any(IgnoredAny)?;
            return Ok(Json::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::Number(value as f64), Json::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self.deeper())? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = access.next_key_seed(Name)? {
            members.push((name, access.next_value_seed(self.deeper())?));
        }
        Ok(Json::Object(members))
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
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
