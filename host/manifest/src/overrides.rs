//! What one run changes in a pipeline file: settings, keys that it removes, and prompts.
//!
//! They change the parsed document, so it is validated like the file itself. An error about a changed value has the
//! location of the nearest key in the file, and names the option.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::document::{self, Document};
use super::error::{Finding, PipelineErrors};
use super::error_kind::PipelineErrorKind;
use super::nearest::did_you_mean;
use super::position::{child, dotted, segments};
use super::schema_errors::wrong_table;
use super::setting::Setting;

/// The sections whose entries the user names, and where a key below an unknown name is a mistake.
const NAMED_SECTIONS: [&str; 3] = ["layers", "models", "outputs"];

/// What one run changes in a pipeline file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Overrides {
    /// Values of keys, and keys that are removed.
    pub settings: Vec<Setting>,
    /// Prompts of layers.
    pub prompts: Vec<LayerPrompt>,
}

/// The prompt that a layer gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerPrompt {
    /// The layer.
    pub layer: String,
    /// The prompt.
    pub text: String,
}

impl Overrides {
    /// Returns whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.prompts.is_empty()
    }

    /// Returns a key that is removed, and another change of the same key, of one below it or of one above it.
    ///
    /// What both together mean would depend on their order, and a file that has both already looks like neither.
    pub fn conflict(&self) -> Option<(&Setting, String)> {
        let settings = self.settings.iter().enumerate();
        let mut removed = settings.clone().filter(|(_, setting)| setting.is_unset());
        removed.find_map(|(at, removed)| {
            let touches = |pointer: &str| {
                is_at_or_below(pointer, &removed.pointer)
                    || is_at_or_below(&removed.pointer, pointer)
            };
            let others = settings.clone().filter(|(other, _)| *other != at);
            let mut others = others.map(|(_, setting)| setting.pointer.clone());
            let mut prompts = self.prompts.iter().map(|one| prompt_of(&one.layer));
            let other = others.find(|pointer| touches(pointer));
            let other = other.or_else(|| prompts.find(|pointer| touches(pointer)));
            other.map(|pointer| (removed, dotted(&pointer)))
        })
    }

    /// Divides the changes of a pipeline file into those of its keys and those of the files that it names.
    ///
    /// The prompt of a layer with `prompt_file` is the text of that file.
    pub fn resolve(&self, text: &str) -> Result<ResolvedOverrides, PipelineErrors> {
        Ok(self.resolve_in(&document::read(text)?.value))
    }

    fn resolve_in(&self, document: &Value) -> ResolvedOverrides {
        // A prompt goes where the file without the removed keys has it.
        let mut document = document.clone();
        for setting in self.settings.iter().filter(|setting| setting.is_unset()) {
            remove_value(&mut document, setting);
        }
        let document = &document;
        let mut resolved = ResolvedOverrides::default();
        for setting in &self.settings {
            let names = setting.names();
            match (prompt_layer(&names), &setting.value) {
                (Some(layer), Value::String(text)) => {
                    resolved.add_prompt(document, layer, text);
                }
                _ => resolved.add(setting.clone()),
            }
        }
        for prompt in &self.prompts {
            resolved.add_prompt(document, &prompt.layer, &prompt.text);
        }
        resolved
    }
}

/// Returns the layer whose `config.prompt` has this key.
fn prompt_layer(names: &[String]) -> Option<&str> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names[..] {
        ["layers", layer, "config", "prompt"] => Some(layer),
        _ => None,
    }
}

/// Returns the JSON pointer to the prompt of a layer.
fn prompt_of(layer: &str) -> String {
    child(&child(&child("/layers", layer), "config"), "prompt")
}

/// The changes of the keys of a pipeline file, and of the files that it names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResolvedOverrides {
    /// Values of keys; the last one of a key applies.
    pub settings: Vec<Setting>,
    /// The paths and new texts of prompt files, by layer.
    pub files: BTreeMap<String, PromptFile>,
}

/// A file with the prompt of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptFile {
    /// The path, as the pipeline file has it.
    pub path: String,
    /// The text that replaces that of the file.
    pub text: String,
}

impl ResolvedOverrides {
    fn add(&mut self, setting: Setting) {
        self.settings
            .retain(|other| other.pointer != setting.pointer);
        self.settings.push(setting);
    }

    fn add_prompt(&mut self, document: &Value, layer: &str, text: &str) {
        let config = document
            .get("layers")
            .and_then(|layers| layers.get(layer)?.get("config"));
        let path = config.and_then(|config| config.get("prompt_file"));
        let has_prompt = config.is_some_and(|config| config.get("prompt").is_some());
        match path.and_then(Value::as_str) {
            Some(path) if !has_prompt => {
                let file = PromptFile {
                    path: path.to_owned(),
                    text: text.to_owned(),
                };
                self.files.insert(layer.to_owned(), file);
            }
            _ => {
                let value = Value::String(text.to_owned());
                self.add(Setting::new(["layers", layer, "config", "prompt"], value));
            }
        }
    }
}

/// Returns the value of each key in a pipeline file; `None` if it is not there.
pub fn current_values(
    text: &str,
    settings: &[Setting],
) -> Result<Vec<Option<Value>>, PipelineErrors> {
    let document = document::read(text)?;
    let values = settings.iter();
    Ok(values
        .map(|setting| document.value.pointer(&setting.pointer).cloned())
        .collect())
}

/// Changes a document, and returns the texts of prompt files by layer.
pub(super) fn apply(
    document: &mut Document,
    overrides: &Overrides,
) -> BTreeMap<String, PromptFile> {
    let resolved = overrides.resolve_in(&document.value);
    for setting in &resolved.settings {
        if let Err(finding) = set(document, setting) {
            let place = finding.pointer.clone();
            document.positions.mark_changed(place, &setting.pointer);
            document.findings.push(finding);
        }
    }
    for layer in resolved.files.keys() {
        let pointer = child(&child("/layers", layer), "config");
        let pointer = child(&pointer, "prompt_file");
        document.positions.mark_changed(pointer.clone(), &pointer);
    }
    resolved.files
}

fn set(document: &mut Document, setting: &Setting) -> Result<(), Finding> {
    let pointer = &setting.pointer;
    document.positions.mark_changed(pointer.clone(), pointer);
    let names = setting.names();
    check_name(&document.value, &names)?;
    let Some((last, parents)) = names.split_last() else {
        return Ok(());
    };
    if setting.is_unset() {
        return remove(document, setting);
    }
    let mut place = &mut document.value;
    let mut above = String::new();
    for name in parents {
        let Value::Object(members) = place else {
            return Err(no_table(above, place));
        };
        above = child(&above, name);
        let is_new = !members.contains_key(name);
        place = members
            .entry(name.clone())
            .or_insert_with(|| Value::Object(Map::new()));
        if is_new {
            document.positions.add_changed(&above);
        }
    }
    let Value::Object(members) = place else {
        return Err(no_table(above, place));
    };
    members.insert(last.clone(), setting.value.clone());
    document
        .findings
        .retain(|found| !is_at_or_below(&found.pointer, pointer));
    document.positions.replace_changed(pointer, &setting.value);
    Ok(())
}

fn remove(document: &mut Document, setting: &Setting) -> Result<(), Finding> {
    if !remove_value(&mut document.value, setting) && setting.must_exist {
        return Err(absent(&document.value, setting));
    }
    let pointer = &setting.pointer;
    document
        .findings
        .retain(|found| !is_at_or_below(&found.pointer, pointer));
    document.positions.remove(pointer);
    Ok(())
}

/// Removes a key and returns whether it was there.
fn remove_value(document: &mut Value, setting: &Setting) -> bool {
    let names = setting.names();
    let Some((last, parents)) = names.split_last() else {
        return false;
    };
    let table = parents
        .iter()
        .try_fold(document, |table, name| table.get_mut(name));
    let members = table.and_then(Value::as_object_mut);
    members.is_some_and(|members| members.remove(last).is_some())
}

/// Refuses the first name of a key that is not there.
fn absent(document: &Value, setting: &Setting) -> Finding {
    let mut place = document;
    let mut above = String::new();
    for name in setting.names() {
        let Value::Object(members) = place else {
            return no_table(above, place);
        };
        let pointer = child(&above, &name);
        let Some(next) = members.get(&name) else {
            let nearest = did_you_mean(&name, members.keys().map(String::as_str));
            let table = dotted(&above);
            let kind = PipelineErrorKind::AbsentKey { key: name, table };
            return Finding::at_key(pointer, kind).hint(nearest);
        };
        (place, above) = (next, pointer);
    }
    no_table(above, place)
}

/// Refuses a key below a value that is no table. The elements of a list have no keys in TOML.
fn no_table(pointer: String, found: &Value) -> Finding {
    let Value::Array(items) = found else {
        return Finding::at_value(pointer, wrong_table(found));
    };
    let is_plain = |item: &Value| !item.is_object() && !item.is_array();
    // Such a list is the same text in JSON and in TOML.
    let list = if items.iter().all(is_plain) {
        found.to_string()
    } else {
        "[…]".to_owned()
    };
    let hint = format!("set all of it, as in `{}={list}`", dotted(&pointer));
    let kind = PipelineErrorKind::ListElement;
    Finding::at_value(pointer, kind).hint(Some(hint))
}

/// Refuses a key below a name that its section does not have.
fn check_name(document: &Value, names: &[String]) -> Result<(), Finding> {
    let [section, name, _, ..] = names else {
        return Ok(());
    };
    if !NAMED_SECTIONS.contains(&section.as_str()) {
        return Ok(());
    }
    let members = document.get(section).and_then(Value::as_object);
    if members.is_some_and(|members| members.contains_key(name)) {
        return Ok(());
    }
    let known = members.into_iter().flat_map(Map::keys).map(String::as_str);
    let pointer = child(&child("", section), name);
    let kind = PipelineErrorKind::UnknownKey {
        key: name.clone(),
        table: section.clone(),
    };
    Err(Finding::at_key(pointer, kind).hint(did_you_mean(name, known)))
}

/// Returns whether a JSON pointer is another one, or below it.
pub(super) fn is_at_or_below(pointer: &str, other: &str) -> bool {
    pointer
        .strip_prefix(other)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the option of a changed key, for a hint.
pub(super) fn option_of(pointer: &str) -> String {
    let names: Vec<String> = segments(pointer).collect();
    if let [_, layer, _, last] = &names[..]
        && last == "prompt_file"
    {
        return format!("from the prompt of layer `{layer}` on the command line");
    }
    format!("from `{}` on the command line", dotted(pointer))
}
