//! A row: names and values, whatever file it comes from.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The fields of a row. CSV lends the names of its header to all rows.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    names: Cow<'a, [String]>,
    values: Vec<Value>,
}

impl<'a> Row<'a> {
    /// Makes a row of as many values as there are names.
    pub(crate) fn new(names: &'a [String], values: Vec<Value>) -> Self {
        Self {
            names: Cow::Borrowed(names),
            values,
        }
    }

    pub(crate) fn of_object(members: Map<String, Value>) -> Self {
        let (names, values) = members.into_iter().unzip::<_, _, Vec<_>, _>();
        Self {
            names: Cow::Owned(names),
            values,
        }
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Returns the value of a field, by its name, by a JSON Pointer, or by a path such as `user.name`.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        if let Some(value) = self.own(field) {
            return Some(value);
        }
        let (parts, separator) = match field.strip_prefix('/') {
            Some(parts) => (parts, '/'),
            None => (field, '.'),
        };
        let mut parts = parts.split(separator);
        let unescaped = |part: &str| match separator {
            '/' => part.replace("~1", "/").replace("~0", "~"),
            _ => part.to_owned(),
        };
        let mut value = self.own(&unescaped(parts.next()?))?;
        for part in parts {
            value = match value {
                Value::Object(members) => members.get(&unescaped(part))?,
                Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
        }
        Some(value)
    }

    fn own(&self, name: &str) -> Option<&Value> {
        let at = self.names.iter().position(|other| other == name)?;
        self.values.get(at)
    }
}

/// Returns a value as a text; null is none.
pub(crate) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.into()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_found_by_name_pointer_or_path() {
        let row = json!({"a.b": 1, "a": {"b": 2, "c": [{"d": 3}], "x/y": 4}, "/a": 5});
        let Value::Object(members) = row else {
            panic!()
        };
        let row = Row::of_object(members);
        for (field, value) in [
            ("a.b", Some(1)),
            ("/a/b", Some(2)),
            ("a.c.0.d", Some(3)),
            ("/a/x~1y", Some(4)),
            ("/a", Some(5)),
            ("a.z", None),
            ("a.c.x", None),
            ("a.b.c", None),
            ("", None),
        ] {
            assert_eq!(row.get(field), value.map(Value::from).as_ref(), "{field}");
        }
    }
}
