//! The settings that differ between two configs, by name.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// The maximum length of a value that a change includes, in characters.
const MAX_VALUE_CHARS: usize = 40;

/// What happened to a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The setting is new.
    Added,
    /// The setting no longer exists.
    Removed,
    /// The setting has a different value.
    Changed,
}

impl ChangeKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The name, with dots between tables: `response_format.properties.tags`.
    pub key: String,
    /// What happened to it.
    pub change: ChangeKind,
    /// The old value; `None` if there was none or it is too long.
    pub old: Option<String>,
    /// The new value; `None` if there is none or it is too long.
    pub new: Option<String>,
}

impl Change {
    /// Compares a setting with a single value; returns `None` if it did not change.
    pub(super) fn between<T: PartialEq + fmt::Display>(
        key: &str,
        old: Option<&T>,
        new: Option<&T>,
    ) -> Option<Self> {
        let change = match (old, new) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(_), Some(_)) => ChangeKind::Changed,
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), None) => ChangeKind::Removed,
            (None, None) => return None,
        };
        let shown = |value: Option<&T>| value.map(ToString::to_string).and_then(if_short);
        Some(Self {
            key: key.to_owned(),
            change,
            old: shown(old),
            new: shown(new),
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.change.as_str())?;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, " ({old} -> {new})"),
            (Some(_), None) | (None, Some(_)) | (None, None) => Ok(()),
        }
    }
}

/// Joins changes to one text.
pub(super) fn join(changes: &[Change]) -> String {
    let texts: Vec<_> = changes.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// Compares two tables recursively; a list counts as a single value.
pub(super) fn between_tables(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let mut changes = Vec::new();
    compare_tables("", old, new, &mut changes);
    changes
}

fn compare_tables(
    prefix: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    changes: &mut Vec<Change>,
) {
    let only_new = new.keys().filter(|key| !old.contains_key(*key));
    let mut keys: Vec<&String> = old.keys().chain(only_new).collect();
    keys.sort();
    for key in keys {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        let change = match (old.get(key), new.get(key)) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                compare_tables(&name, old, new, changes);
                continue;
            }
            (Some(old), Some(new)) if old == new => continue,
            (Some(_), Some(_)) => ChangeKind::Changed,
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
        };
        changes.push(Change {
            key: name,
            change,
            old: old.get(key).and_then(scalar),
            new: new.get(key).and_then(scalar),
        });
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => if_short(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn if_short(text: String) -> Option<String> {
    let fits = !text.is_empty()
        && text.chars().nth(MAX_VALUE_CHARS).is_none()
        && !text.chars().any(char::is_control);
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn between(old: &Value, new: &Value) -> String {
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
        join(&between_tables(&members(old), &members(new)))
    }

    #[test]
    fn a_change_has_the_dotted_name_of_its_setting() {
        let old = json!({"prompt": "a\nb", "tags": {"enum": ["a"], "most": 5}, "kind": "note"});
        let new = json!({"tags": {"enum": ["a", "b"], "most": 7}, "kind": "note", "label": "l"});
        assert_eq!(
            between(&old, &new),
            "label added, prompt removed, tags.enum changed, tags.most changed (5 -> 7)"
        );
    }

    #[test]
    fn the_value_of_a_long_text_is_not_shown() {
        let old = json!({"prompt": "x".repeat(41)});
        let new = json!({"prompt": "y"});
        assert_eq!(between(&old, &new), "prompt changed");
        assert_eq!(between(&new, &new), "");
    }

    #[test]
    fn a_table_that_replaces_a_value_is_a_single_change() {
        assert_eq!(
            between(&json!({"a": {"b": 1}}), &json!({"a": 2})),
            "a changed"
        );
    }
}
