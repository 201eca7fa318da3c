//! Settings on a command line: `KEY=VALUE`, with a dotted key and a TOML value, and keys to remove.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::document;
use super::position::{child, dotted, segments};

/// A key of a pipeline file and the value that it gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The JSON pointer to the key.
    pub(super) pointer: String,
    /// The value; null removes the key.
    pub value: Value,
    /// Whether a key to be removed must be there. A trial on record may have removed it from the file already.
    pub(super) must_exist: bool,
}

/// Why a text is not a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// There is no `=` after the key.
    #[error("there is no `=`; write KEY=VALUE, as in models.default.temperature=0.2")]
    NoValue,
    /// The key is not a key of TOML.
    #[error("{0:?} is not a key; write it with dots, as in models.default.temperature")]
    Key(String),
    /// The value means nothing in TOML, and most likely should remove the key.
    #[error(
        "TOML has no `null`; remove the key with --unset KEY, or write KEY='\"null\"' for the text"
    )]
    Null,
    /// The value cannot be in a pipeline file.
    #[error("the value {0}")]
    Value(String),
}

impl Setting {
    /// Creates a setting of a key with these names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, value: Value) -> Self {
        let pointer = names
            .into_iter()
            .fold(String::new(), |pointer, name| child(&pointer, name));
        Self {
            pointer,
            value,
            must_exist: false,
        }
    }

    /// Reads a key that is removed from the file.
    pub fn unset(key: &str) -> Result<Self, InvalidSetting> {
        let names = key_names(key.trim()).ok_or_else(|| InvalidSetting::Key(key.to_owned()))?;
        Ok(Self {
            must_exist: true,
            ..Self::new(names.iter().map(String::as_str), Value::Null)
        })
    }

    /// Returns whether the key is removed.
    pub fn is_unset(&self) -> bool {
        self.value.is_null()
    }

    /// Returns the names of the key.
    pub fn names(&self) -> Vec<String> {
        segments(&self.pointer).collect()
    }
}

/// The key, as TOML writes it.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dotted(&self.pointer))
    }
}

impl FromStr for Setting {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let end = end_of_key(text).ok_or(InvalidSetting::NoValue)?;
        let key = text[..end].trim();
        let names = key_names(key).ok_or_else(|| InvalidSetting::Key(key.to_owned()))?;
        let value = value(&text[end + 1..])?;
        Ok(Self::new(names.iter().map(String::as_str), value))
    }
}

#[derive(Serialize, Deserialize)]
struct StoredSetting<'a> {
    key: std::borrow::Cow<'a, str>,
    value: Value,
}

impl Serialize for Setting {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = StoredSetting {
            key: dotted(&self.pointer).into(),
            value: self.value.clone(),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StoredSetting { key, value } = StoredSetting::deserialize(deserializer)?;
        let names = key_names(&key)
            .ok_or_else(|| serde::de::Error::custom(InvalidSetting::Key(key.into_owned())))?;
        Ok(Self::new(names.iter().map(String::as_str), value))
    }
}

/// Returns the position of the first `=` that is not in quotes.
fn end_of_key(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, one) in text.char_indices() {
        match (quote, one) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(one),
            (Some('"'), '\\') if !is_escaped => {
                is_escaped = true;
                continue;
            }
            (Some(open), _) if open == one && !is_escaped => quote = None,
            _ => {}
        }
        is_escaped = false;
    }
    None
}

/// Returns the names of a dotted key.
fn key_names(key: &str) -> Option<Vec<String>> {
    // Otherwise the text could have more than one line.
    if key.contains(['\n', '\r', '#']) {
        return None;
    }
    let line = format!("{key} = 0");
    let parsed = DeTable::parse(&line).ok()?;
    let mut names = Vec::new();
    let mut table = parsed.get_ref();
    loop {
        let (name, value) = table.iter().next().filter(|_| table.len() == 1)?;
        names.push(name.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            DeValue::Integer(_) => return Some(names),
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => return None,
        }
    }
}

/// Reads a TOML value. Any other text is the value itself, so that a shell needs one pair of quotes only.
fn value(text: &str) -> Result<Value, InvalidSetting> {
    const NAME: &str = "value";
    if text.trim() == "null" {
        return Err(InvalidSetting::Null);
    }
    let as_text = || Ok(Value::String(text.to_owned()));
    let line = format!("{NAME} = {text}");
    let Ok(parsed) = DeTable::parse(&line) else {
        return refuse_nul(text).map_or_else(as_text, Err);
    };
    let Some((_, value)) = parsed.get_ref().iter().next() else {
        return as_text();
    };
    // `1 # of 2` is a text, although TOML sees a number and a comment.
    let is_whole = parsed.get_ref().len() == 1
        && line.get(value.span()).map(str::trim) == Some(text.trim())
        && !matches!(value.get_ref(), DeValue::Datetime(_));
    if !is_whole {
        return refuse_nul(text).map_or_else(as_text, Err);
    }
    let mut read =
        document::read(&line).map_err(|error| InvalidSetting::Value(error.to_string()))?;
    match read.findings.pop() {
        Some(found) => Err(InvalidSetting::Value(found.kind.to_string())),
        None => Ok(read.value[NAME].take()),
    }
}

fn refuse_nul(text: &str) -> Option<InvalidSetting> {
    let contains = text.contains('\0');
    contains.then(|| InvalidSetting::Value("contains a NUL character".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> (String, Value) {
        let setting: Setting = text.parse().unwrap();
        (setting.to_string(), setting.value)
    }

    #[test]
    fn a_value_is_a_toml_value_or_else_a_text() {
        for (text, value) in [
            ("a.b=0.9", json!(0.9)),
            ("a.b=true", json!(true)),
            ("a.b = 3", json!(3)),
            ("a.b=\"x\"", json!("x")),
            ("a.b=\"null\"", json!("null")),
            ("a.b=gpt-4o", json!("gpt-4o")),
            ("a.b=", json!("")),
            ("a.b=Who is {{ label }}?", json!("Who is {{ label }}?")),
            ("a.b=one\ntwo", json!("one\ntwo")),
            ("a.b=1\nc = 2", json!("1\nc = 2")),
            ("a.b=1 # of 2", json!("1 # of 2")),
            ("a.b=# title", json!("# title")),
            ("a.b=2026-01-02", json!("2026-01-02")),
            ("a.b=[\"x\", \"y=z\"]", json!(["x", "y=z"])),
            ("a.b={ c = 1 }", json!({ "c": 1 })),
            ("a.b=x=y", json!("x=y")),
        ] {
            assert_eq!(parsed(text), ("a.b".to_owned(), value), "{text:?}");
        }
    }

    #[test]
    fn a_key_may_have_quoted_names() {
        assert_eq!(
            parsed("prices.\"gpt-4.1=x\".input=1").0,
            "prices.\"gpt-4.1=x\".input"
        );
        assert_eq!(parsed("'a b'.c=1").0, "\"a b\".c");
    }

    #[test]
    fn what_is_not_a_setting_is_refused() {
        for text in [
            "", "a.b", "=1", "a..b=1", "a b=1", "[a]=1", "a\nb=1", "\"a=1",
        ] {
            assert!(text.parse::<Setting>().is_err(), "{text:?}");
        }
        assert_eq!("a=null".parse::<Setting>(), Err(InvalidSetting::Null));
        for text in ["a=9007199254740993", "a=inf", "a=\"\\u0000\"", "a=\0"] {
            let error = text.parse::<Setting>().unwrap_err();
            assert!(matches!(error, InvalidSetting::Value(_)), "{text:?}");
        }
    }

    /// After its trial was promoted, the key is no longer there.
    #[test]
    fn a_key_to_remove_is_stored_as_null_and_need_not_exist_again() {
        let setting = Setting::unset("models.default.temperature").unwrap();
        assert!(setting.is_unset() && setting.must_exist);
        let stored = serde_json::to_value(&setting).unwrap();
        assert_eq!(
            stored,
            json!({ "key": "models.default.temperature", "value": null })
        );
        let restored: Setting = serde_json::from_value(stored).unwrap();
        assert!(restored.is_unset() && !restored.must_exist);
        for text in ["", "a=1", "a..b", "a\nb"] {
            assert!(Setting::unset(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_setting_is_stored_and_restored() {
        for text in [
            "models.default.temperature=0.9",
            "layers.\"a/b\".config.prompt=x",
        ] {
            let setting: Setting = text.parse().unwrap();
            let stored = serde_json::to_string(&setting).unwrap();
            assert_eq!(serde_json::from_str::<Setting>(&stored).unwrap(), setting);
        }
    }
}
