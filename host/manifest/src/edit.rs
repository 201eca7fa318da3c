//! Writes settings into the text of a pipeline file. Comments, order and formatting stay as they are.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value as TomlValue};

use serde_json::Value;

use super::document;
use super::error::PipelineErrors;
use super::overrides::{self, Overrides, ResolvedOverrides};
use super::setting::Setting;

/// Why settings cannot be written into a pipeline file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The file is invalid, or would be.
    #[error(transparent)]
    Pipeline(#[from] PipelineErrors),
    /// The text would not mean the same as the settings.
    #[error("`{0}` cannot be written without changing more of the file")]
    NotWritable(String),
}

/// Returns the text of a pipeline file with these changes, and the prompt files that change.
///
/// The result is read again: it means exactly what a run with the changes reads.
pub fn edit(text: &str, changes: &Overrides) -> Result<(String, ResolvedOverrides), EditError> {
    let mut wanted = document::read(text)?;
    let resolved = changes.resolve(text)?;
    overrides::apply(&mut wanted, changes);
    // Refuses what does not fit to the file any more, with the same errors as the run itself.
    super::parse_with(text, changes)?;
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let not_writable = |setting: &Setting| EditError::NotWritable(setting.to_string());
    let mut edited: DocumentMut = match body.parse() {
        Ok(edited) => edited,
        Err(_) => return Err(EditError::NotWritable("the file".to_owned())),
    };
    let ends_in_crlf = body.contains("\r\n");
    for setting in &resolved.settings {
        let is_set = set(edited.as_table_mut(), setting, ends_in_crlf);
        is_set.ok_or_else(|| not_writable(setting))?;
    }
    let mut body = edited.to_string();
    if ends_in_crlf {
        body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    let written = format!("{mark}{body}");
    let is_same = document::read(&written).is_ok_and(|read| read.value == wanted.value);
    match resolved.settings.first() {
        Some(first) if !is_same => Err(not_writable(first)),
        Some(_) => Ok((written, resolved)),
        None => Ok((text.to_owned(), resolved)),
    }
}

fn set(root: &mut Table, setting: &Setting, on_one_line: bool) -> Option<()> {
    let names = setting.names();
    let (last, parents) = names.split_last()?;
    let mut table: &mut dyn TableLike = root;
    if setting.is_unset() {
        for name in parents {
            let Some(item) = table.get_mut(name) else {
                return Some(());
            };
            table = item.as_table_like_mut()?;
        }
        table.remove(last);
        return Some(());
    }
    let mut is_inline = false;
    for name in parents {
        if !table.contains_key(name) {
            let new = if is_inline {
                Item::Value(TomlValue::InlineTable(InlineTable::new()))
            } else {
                Item::Table(Table::new())
            };
            table.insert(name, new);
        }
        let item = table.get_mut(name)?;
        is_inline = item.is_inline_table();
        table = item.as_table_like_mut()?;
    }
    let mut value = toml_value(&setting.value, on_one_line)?;
    match table.get_mut(last) {
        Some(Item::Value(old)) => {
            // A comment behind the value is part of what surrounds it.
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        Some(other) => *other = Item::Value(value),
        None => {
            table.insert(last, Item::Value(value));
        }
    }
    Some(())
}

/// Converts a value. `on_one_line` writes a text with escapes: line breaks of the file are not those of the text.
fn toml_value(value: &Value, on_one_line: bool) -> Option<TomlValue> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) if on_one_line && text.contains('\n') => {
            // A text of JSON is one of TOML.
            let escaped = Value::String(text.clone()).to_string();
            escaped.replace('\u{7f}', "\\u007f").parse().ok()?
        }
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => {
            let items: Option<toml_edit::Array> = items
                .iter()
                .map(|item| toml_value(item, on_one_line))
                .collect();
            items?.into()
        }
        Value::Object(members) => {
            let members: Option<InlineTable> = members
                .iter()
                .map(|(name, member)| Some((name.as_str(), toml_value(member, on_one_line)?)))
                .collect();
            members?.into()
        }
    })
}
