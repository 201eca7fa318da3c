//! A row: names and values, whatever file it comes from, also as the variables of a template.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value as Variable};
use serde::Deserialize as _;
use serde_json::{Map, Value};

/// The variable that has all fields, whatever their names are.
const ROW: &str = "row";

/// The fields of a row. The rows of a CSV file share the names of its header.
#[derive(Debug)]
pub(crate) struct Row {
    names: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    /// Makes a row of as many values as there are names.
    pub(crate) fn new(names: &Arc<[String]>, values: Vec<Value>) -> Self {
        Self {
            names: Arc::clone(names),
            values,
        }
    }

    pub(crate) fn of_object(members: Map<String, Value>) -> Self {
        let (names, values) = members.into_iter().unzip::<_, _, Vec<_>, _>();
        Self {
            names: names.into(),
            values,
        }
    }

    /// Returns the fields under their names, and all of them as `row`.
    pub(crate) fn variables(self: &Arc<Self>) -> Variable {
        Variable::from_object(Variables(Arc::clone(self)))
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

/// A row as a value of a template. A field is converted when a template names it.
impl Object for Row {
    fn get_value(self: &Arc<Self>, key: &Variable) -> Option<Variable> {
        let value = self.own(key.as_str()?)?;
        Some(Variable::deserialize(value).unwrap_or_default())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names().map(Variable::from).collect())
    }
}

/// The variables of a row.
#[derive(Debug)]
struct Variables(Arc<Row>);

impl Object for Variables {
    fn get_value(self: &Arc<Self>, key: &Variable) -> Option<Variable> {
        match key.as_str()? {
            ROW => Some(Variable::from_dyn_object(Arc::clone(&self.0))),
            _ => self.0.get_value(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let own = self.0.names().filter(|&name| name != ROW);
        Enumerator::Values(own.chain([ROW]).map(Variable::from).collect())
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
