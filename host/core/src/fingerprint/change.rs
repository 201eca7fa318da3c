//! Which settings differ, by their names: what a person wants to see of two long configs.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// The longest value that is shown beside the name of its setting, in characters.
const SHORT: usize = 40;

/// What happened to a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It has a value now and had none.
    Added,
    /// It had a value and has none now.
    Removed,
    /// It has another value.
    Changed,
}

impl ChangeKind {
    const fn word(self) -> &'static str {
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
    /// Its name, with dots between tables: `response_format.properties.tags`.
    pub key: String,
    /// What happened to it.
    pub change: ChangeKind,
    /// Its value before; `None` where there was none, or one too long to show.
    pub old: Option<String>,
    /// Its value now; likewise.
    pub new: Option<String>,
}

impl Change {
    /// Compares a setting that is one value; `None` where nothing changed.
    pub(super) fn of<T: PartialEq + fmt::Display>(
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
        let short = |value: Option<&T>| value.map(ToString::to_string).and_then(short);
        Some(Self {
            key: key.to_owned(),
            change,
            old: short(old),
            new: short(new),
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.change.word())?;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, " ({old} -> {new})"),
            (Some(_), None) | (None, Some(_)) | (None, None) => Ok(()),
        }
    }
}

/// Returns changes as one text.
pub(super) fn list(changes: &[Change]) -> String {
    let texts: Vec<_> = changes.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// Compares two tables member by member, tables within them likewise; a list counts as one value.
pub(super) fn tables(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", old, new, &mut changes);
    changes
}

fn compare(above: &str, old: &Map<String, Value>, new: &Map<String, Value>, to: &mut Vec<Change>) {
    let only_new = new.keys().filter(|key| !old.contains_key(*key));
    let mut keys: Vec<&String> = old.keys().chain(only_new).collect();
    keys.sort();
    for key in keys {
        let name = if above.is_empty() {
            key.clone()
        } else {
            format!("{above}.{key}")
        };
        let change = match (old.get(key), new.get(key)) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                compare(&name, old, new, to);
                continue;
            }
            (Some(old), Some(new)) if old == new => continue,
            (Some(_), Some(_)) => ChangeKind::Changed,
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
        };
        to.push(Change {
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
        Value::String(text) => short(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn short(text: String) -> Option<String> {
    let fits = !text.is_empty()
        && text.chars().nth(SHORT).is_none()
        && !text.chars().any(char::is_control);
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn between(old: &Value, new: &Value) -> String {
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
        list(&tables(&members(old), &members(new)))
    }

    #[test]
    fn a_setting_is_named_by_its_path() {
        let old = json!({"prompt": "a\nb", "tags": {"enum": ["a"], "most": 5}, "kind": "note"});
        let new = json!({"tags": {"enum": ["a", "b"], "most": 7}, "kind": "note", "label": "l"});
        assert_eq!(
            between(&old, &new),
            "label added, prompt removed, tags.enum changed, tags.most changed (5 -> 7)"
        );
    }

    #[test]
    fn a_long_text_is_named_and_not_shown() {
        let old = json!({"prompt": "x".repeat(41)});
        let new = json!({"prompt": "y"});
        assert_eq!(between(&old, &new), "prompt changed");
        assert_eq!(between(&new, &new), "");
    }

    #[test]
    fn a_table_in_place_of_a_value_is_one_change() {
        assert_eq!(
            between(&json!({"a": {"b": 1}}), &json!({"a": 2})),
            "a changed"
        );
    }
}
