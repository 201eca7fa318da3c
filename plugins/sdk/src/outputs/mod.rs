//! Makes outputs from an answer: members of an answer in JSON become metadata, and elements of a list become outputs.

mod elements;
mod item_labels;
mod metadata;
mod names;

use std::collections::BTreeSet;

use minijinja::value::Value as Variables;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use self::elements::not_json;
use self::elements::{answer_error, compact, elements, list_members, members, not_object};
use self::item_labels::ItemNames;
use self::metadata::{fault_of_key, is_same, unsafe_number};
pub(crate) use self::names::{names_there, quoted};
use crate::template::{NAME_CHARS, Template, with_item};
use crate::{Content, Error, Output, log};

/// The number of characters of a label that are reserved for the name of an element.
const ROOM_FOR_ITEM: usize = 24;
/// Which members become metadata.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "`fields` is true or a list of names")]
pub(crate) enum Fields {
    /// All members, or none.
    All(bool),
    /// The members with these names.
    Named(Vec<String>),
}

/// Which list becomes outputs.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "`explode` is true or the name of a member")]
pub(crate) enum Explode {
    /// The answer itself, or no list.
    Whole(bool),
    /// The member with this name.
    Member(String),
}

/// The settings of a layer for making outputs from an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutputSettings<'a> {
    pub(crate) fields: Option<&'a Fields>,
    pub(crate) explode: Option<&'a Explode>,
    pub(crate) item_label: Option<&'a str>,
}

impl<'a> OutputSettings<'a> {
    /// Refuses settings that are invalid for every answer. `own` are the keys that the transform itself sets.
    pub(crate) fn check(self, is_json: bool, own: &[&str]) -> Result<(), Error> {
        let invalid = |text: String| Err(Error::InvalidConfig(text));
        let wanted = [
            ("fields", self.wants_fields()),
            ("explode", self.list().is_some()),
        ];
        for (key, is_wanted) in wanted {
            if is_wanted && !is_json {
                return invalid(format!(
                    "`{key}` needs a `response_format`, because only an answer in JSON has members"
                ));
            }
        }
        if self.item_label.is_some() && self.list().is_none() {
            return invalid("`item_label` needs `explode`".to_owned());
        }
        if let Some(Explode::Member(name)) = self.explode
            && name.is_empty()
        {
            return invalid("`explode` is empty; it must name the member with the list".to_owned());
        }
        if let Some(Fields::Named(names)) = self.fields {
            for name in names {
                if let Some(rule) = fault_of_key(name) {
                    return invalid(format!("{} in `fields` {rule}", quoted(name)));
                }
                if own.contains(&name.as_str()) {
                    return invalid(format!(
                        "`fields` names {}, which the transform itself sets",
                        quoted(name)
                    ));
                }
            }
        }
        Ok(())
    }

    /// Refuses a label that is too long to add the names of elements.
    pub(crate) fn check_label(self, label: &str) -> Result<(), Error> {
        if self.list().is_some() && label.chars().count() > NAME_CHARS - ROOM_FOR_ITEM {
            return Err(Error::InvalidInput(format!(
                "the label {} has more than {} characters, so the names of elements cannot be added",
                quoted(label),
                NAME_CHARS - ROOM_FOR_ITEM
            )));
        }
        Ok(())
    }

    /// Refuses an `item_label` that is not a template, or that names an unknown variable.
    pub(crate) fn check_item_label(self, variables: &Variables) -> Result<(), Error> {
        match self.item_template() {
            Some(template) => template.check_names(&with_item(variables, &Value::Null, 1)),
            None => Ok(()),
        }
    }

    /// Makes outputs from an answer. `base` has the label, the kind and the metadata of the inputs.
    pub(crate) fn outputs(
        self,
        base: Output,
        own: &[(&str, Value)],
        answer: String,
        variables: &Variables,
    ) -> Result<Vec<Output>, Error> {
        let Some(list) = self.list() else {
            let base = if self.wants_fields() {
                let members = members(&answer, "the answer")?;
                self.with_fields(base, own, members, "the answer")?
            } else {
                base
            };
            return Ok(vec![finished(base, own, answer)]);
        };
        let (elements, place) = elements(&answer, list)?;
        if elements.is_empty() {
            log::write(
                log::Level::Info,
                &format!("{place} is an empty list, so there are no outputs"),
            );
        }
        let mut names = ItemNames::of(&base.label, elements.len());
        let mut outputs = Vec::with_capacity(elements.len());
        for (number, element) in (1..).zip(elements) {
            let here = format!("element {number} of {place}");
            let value: Value = serde_json::from_str(element.get())
                .map_err(|error| invalid_answer(format!("{here} cannot be read: {error}")))?;
            let text = match &value {
                Value::String(text) if text.trim().is_empty() => {
                    return Err(invalid_answer(format!("{here} is an empty text")));
                }
                Value::Null => return Err(invalid_answer(format!("{here} is null"))),
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    compact(element.get())
                }
            };
            let label = match self.item_template() {
                Some(template) => {
                    let name = template
                        .render(&with_item(variables, &value, number))
                        .map_err(|error| answer_error(error, &here))?;
                    names.named(&name, number)
                }
                None => names.numbered(number),
            };
            let output = Output {
                label,
                ..base.clone()
            };
            let output = if self.wants_fields() {
                let Value::Object(members) = value else {
                    return Err(not_object(&here, &value));
                };
                self.with_fields(output, own, members, &here)?
            } else {
                output
            };
            outputs.push(finished(output, own, text));
        }
        Ok(outputs)
    }

    fn wants_fields(self) -> bool {
        match self.fields {
            Some(Fields::All(all)) => *all,
            Some(Fields::Named(_)) => true,
            None => false,
        }
    }

    /// Returns the member with the list; the inner `None` means the answer itself.
    fn list(self) -> Option<Option<&'a str>> {
        match self.explode {
            Some(Explode::Member(name)) => Some(Some(name)),
            Some(Explode::Whole(true)) => Some(None),
            Some(Explode::Whole(false)) | None => None,
        }
    }

    fn item_template(self) -> Option<Template<'a>> {
        self.item_label.map(|source| Template {
            name: "item_label",
            source,
        })
    }

    /// Sets members as metadata. A member that the config names replaces existing metadata; other members do not.
    fn with_fields(
        self,
        mut output: Output,
        own: &[(&str, Value)],
        members: Map<String, Value>,
        place: &str,
    ) -> Result<Output, Error> {
        let named: Option<BTreeSet<&str>> = match self.fields {
            Some(Fields::Named(names)) => Some(names.iter().map(String::as_str).collect()),
            Some(Fields::All(_)) | None => None,
        };
        for name in named.iter().flatten() {
            if !members.contains_key(*name) {
                return Err(invalid_answer(format!(
                    "{place} has no member {}, which `fields` names; {}",
                    quoted(name),
                    list_members(&members)
                )));
            }
        }
        for (name, value) in members {
            if named
                .as_ref()
                .is_some_and(|named| !named.contains(name.as_str()))
            {
                continue;
            }
            if let Some(rule) = fault_of_key(&name) {
                return Err(invalid_answer(format!(
                    "a member of {place} cannot be metadata: its name {} {rule}",
                    quoted(&name)
                )));
            }
            if let Some(number) = unsafe_number(&value) {
                return Err(invalid_answer(format!(
                    "the member {} of {place} has the number {number}, which a double cannot represent; request it as a string",
                    quoted(&name)
                )));
            }
            let existing = output.metadata.iter().find(|entry| entry.key == name);
            let is_own = own.iter().any(|(key, _)| *key == name);
            let differs = existing.is_some_and(|entry| !is_same(entry, &value));
            if is_own || (differs && named.is_none()) {
                let reason = if is_own { "the transform" } else { "the input" };
                log::write(
                    log::Level::Warn,
                    &format!(
                        "the member {} of {place} is ignored, because {reason} sets this metadata",
                        quoted(&name)
                    ),
                );
                continue;
            }
            if differs {
                log::write(
                    log::Level::Info,
                    &format!(
                        "the member {} of {place} replaces the metadata of the input",
                        quoted(&name)
                    ),
                );
            }
            output = output.with_metadata(name, &value);
        }
        Ok(output)
    }
}

fn finished(output: Output, own: &[(&str, Value)], text: String) -> Output {
    let output = Output {
        content: Content::Text(text),
        ..output
    };
    own.iter().fold(output, |output, (key, value)| {
        output.with_metadata(*key, value)
    })
}

fn invalid_answer(text: String) -> Error {
    Error::InvalidAnswer(text)
}

#[cfg(test)]
mod tests;
