//! From an answer to outputs: members of an answer in JSON become metadata, elements of a list become outputs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use minijinja::value::Value as Variables;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::template::{NAME_CHARS, Template, with_item};
use crate::{Content, Error, MetadataEntry, Output, log};

/// Characters of a metadata key, as the contract has it.
const KEY_CHARS: usize = 128;
/// Characters of a label that are kept for the name of an element.
const ROOM_FOR_ITEM: usize = 24;
/// Members that an error names.
const SHOWN_MEMBERS: usize = 12;
/// Characters that an error shows of a name or an answer.
const SHOWN_CHARS: usize = 60;
/// The largest whole number that a double holds without a gap.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Which members become metadata.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "`fields` is true or a list of names")]
pub(crate) enum Fields {
    /// All of them, or none.
    All(bool),
    /// Those with these names.
    Named(Vec<String>),
}

/// Which list is taken apart.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "`explode` is true or the name of a member")]
pub(crate) enum Explode {
    /// The answer itself, or nothing.
    Whole(bool),
    /// The member with this name.
    Member(String),
}

/// What becomes of an answer, as far as a layer says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) fields: Option<&'a Fields>,
    pub(crate) explode: Option<&'a Explode>,
    pub(crate) item_label: Option<&'a str>,
}

impl<'a> Form<'a> {
    /// Refuses what cannot work whatever the answer is; `own` are the keys that the transform sets itself.
    pub(crate) fn check(self, is_json: bool, own: &[&str]) -> Result<(), Error> {
        let invalid = |text: String| Err(Error::InvalidConfig(text));
        let wanted = [
            ("fields", self.wants_fields()),
            ("explode", self.list().is_some()),
        ];
        for (key, is_wanted) in wanted {
            if is_wanted && !is_json {
                return invalid(format!(
                    "`{key}` needs a `response_format`: only an answer in JSON has members"
                ));
            }
        }
        if self.item_label.is_some() && self.list().is_none() {
            return invalid("`item_label` needs `explode`".to_owned());
        }
        if let Some(Explode::Member(name)) = self.explode
            && name.is_empty()
        {
            return invalid(
                "`explode` is empty: it names the member that holds the list".to_owned(),
            );
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

    /// Refuses a label that leaves no room for the names of elements.
    pub(crate) fn check_label(self, label: &str) -> Result<(), Error> {
        if self.list().is_some() && label.chars().count() > NAME_CHARS - ROOM_FOR_ITEM {
            return Err(Error::InvalidInput(format!(
                "the label {} has more than {} characters, which leaves no room for the names of elements",
                quoted(label),
                NAME_CHARS - ROOM_FOR_ITEM
            )));
        }
        Ok(())
    }

    /// Refuses an `item_label` that is no template, or that names what no element has.
    pub(crate) fn check_item_label(self, variables: &Variables) -> Result<(), Error> {
        match self.item_template() {
            Some(template) => template.check_names(&with_item(variables, &Value::Null, 1)),
            None => Ok(()),
        }
    }

    /// Makes outputs of an answer; `made` has the label, the kind, and the metadata that the inputs give.
    pub(crate) fn outputs(
        self,
        made: Output,
        own: &[(&str, Value)],
        answer: String,
        variables: &Variables,
    ) -> Result<Vec<Output>, Error> {
        let Some(list) = self.list() else {
            let made = if self.wants_fields() {
                let members = members(&answer, "the answer")?;
                self.with_fields(made, own, members, "the answer")?
            } else {
                made
            };
            return Ok(vec![finished(made, own, answer)]);
        };
        let (elements, place) = elements(&answer, list)?;
        if elements.is_empty() {
            log::write(
                log::Level::Info,
                &format!("{place} is an empty list, which makes no output"),
            );
        }
        let mut names = ItemNames::of(&made.label, elements.len());
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
                        .map_err(|error| of_answer(error, &here))?;
                    names.named(&name, number)
                }
                None => names.numbered(number),
            };
            let output = Output {
                label,
                ..made.clone()
            };
            let output = if self.wants_fields() {
                let Value::Object(members) = value else {
                    return Err(no_object(&here, &value));
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

    /// Returns the name of the member to take apart, or none within for the answer itself.
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

    /// Sets members as metadata. What the config names wins over what is there; of all other members, what is there stays.
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
                    there(&members)
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
                    "the member {} of {place} has the number {number}, which a double cannot hold: ask for it as a text",
                    quoted(&name)
                )));
            }
            let there = output.metadata.iter().find(|entry| entry.key == name);
            let is_own = own.iter().any(|(key, _)| *key == name);
            let differs = there.is_some_and(|entry| !is_same(entry, &value));
            if is_own || (differs && named.is_none()) {
                let reason = if is_own { "the transform" } else { "the input" };
                log::write(
                    log::Level::Warn,
                    &format!(
                        "the member {} of {place} is not taken: {reason} sets this metadata",
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

fn is_same(entry: &MetadataEntry, value: &Value) -> bool {
    serde_json::from_str::<Value>(&entry.value).is_ok_and(|there| there == *value)
}

/// Says that an answer is no JSON; `error` is the reader's.
pub(crate) fn no_json(answer: &str, error: &serde_json::Error) -> Error {
    let start: String = answer.trim_start().chars().take(SHOWN_CHARS).collect();
    let start = if start.is_empty() {
        "it is blank".to_owned()
    } else {
        format!("it begins with {start:?}")
    };
    invalid_answer(format!("the answer is not JSON: {error}; {start}"))
}

fn members(answer: &str, place: &str) -> Result<Map<String, Value>, Error> {
    let value = serde_json::from_str(answer).map_err(|error| no_json(answer, &error))?;
    let Value::Object(members) = value else {
        return Err(no_object(place, &value));
    };
    Ok(members)
}

/// Finds the list to take apart, and how errors speak of it.
fn elements<'a>(
    answer: &'a str,
    member: Option<&str>,
) -> Result<(Vec<&'a RawValue>, String), Error> {
    let whole: Value = serde_json::from_str(answer).map_err(|error| no_json(answer, &error))?;
    let (found, place, raw) = match (member, &whole) {
        (None, _) => (&whole, "the answer".to_owned(), answer),
        (Some(name), Value::Object(members)) => {
            let found = members.get(name).ok_or_else(|| {
                invalid_answer(format!(
                    "the answer has no member {}, which `explode` names; {}",
                    quoted(name),
                    there(members)
                ))
            })?;
            // Read once more for the texts as they stand: numbers and the order of members are kept.
            let raw = serde_json::from_str::<BTreeMap<String, &RawValue>>(answer)
                .ok()
                .and_then(|members| members.get(name).map(|raw| raw.get()))
                .unwrap_or_default();
            (found, format!("{} in the answer", quoted(name)), raw)
        }
        (Some(name), other) => {
            let hint = if other.is_array() {
                "; `explode = true` takes the answer itself apart"
            } else {
                ""
            };
            return Err(invalid_answer(format!(
                "the answer is {}, and `explode` names its member {}{hint}",
                kind_of(other),
                quoted(name)
            )));
        }
    };
    if !found.is_array() {
        let hint = match (member, found) {
            (None, Value::Object(members)) => {
                format!(
                    ", as `explode = true` needs: name the member with the list; {}",
                    there(members)
                )
            }
            (None, _) => ", as `explode = true` needs".to_owned(),
            (Some(_), _) => ", as `explode` needs".to_owned(),
        };
        return Err(invalid_answer(format!(
            "{place} is {}, not a list{hint}",
            kind_of(found)
        )));
    }
    let elements = serde_json::from_str(raw)
        .map_err(|error| invalid_answer(format!("{place} cannot be read: {error}")))?;
    Ok((elements, place))
}

/// Labels of elements: none twice, whatever the elements are.
struct ItemNames<'a> {
    base: &'a str,
    digits: usize,
    taken: BTreeSet<String>,
}

impl<'a> ItemNames<'a> {
    fn of(base: &'a str, count: usize) -> Self {
        Self {
            base,
            digits: count.to_string().len().max(3),
            taken: BTreeSet::new(),
        }
    }

    fn numbered(&self, number: u32) -> String {
        format!("{}-{number:0digits$}", self.base, digits = self.digits)
    }

    /// Makes a label of what a template gave. The name has no `/`, so that elements of two inputs never meet in one label.
    fn named(&mut self, name: &str, number: u32) -> String {
        let name = safe_name(name);
        let name = if name.is_empty() {
            format!("{number:0digits$}", digits = self.digits)
        } else {
            name
        };
        let room = NAME_CHARS.saturating_sub(self.base.chars().count() + 1);
        let fitting = |end: &str| {
            let kept: String = name
                .chars()
                .take(room.saturating_sub(end.chars().count()))
                .collect();
            format!("{}/{}{end}", self.base, kept.trim_end())
        };
        let mut label = fitting("");
        let mut next = 2;
        while !self.taken.insert(label.clone()) {
            label = fitting(&format!("-{next}"));
            next += 1;
        }
        label
    }
}

/// Returns what of a text can stand in a label: one line, no `/`, nothing invisible; empty where nothing is left.
fn safe_name(text: &str) -> String {
    let visible = text.chars().map(|one| match one {
        '/' | '\\' => '-',
        one if one.is_control() || is_invisible(one) => ' ',
        one => one,
    });
    let visible: String = visible.collect();
    let name = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().all(|one| matches!(one, '.' | '-' | ' ')) {
        String::new()
    } else {
        name
    }
}

/// Says whether a character shows nothing, or turns what follows.
const fn is_invisible(one: char) -> bool {
    matches!(
        one,
        '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

fn fault_of_key(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        Some("is empty")
    } else if key.chars().any(char::is_control) {
        Some("has a control character")
    } else if key.chars().nth(KEY_CHARS).is_some() {
        Some("has more than 128 characters")
    } else {
        None
    }
}

/// Returns a number that metadata cannot hold without loss.
fn unsafe_number(value: &Value) -> Option<&serde_json::Number> {
    match value {
        Value::Number(number) => {
            let double = number.as_f64().unwrap_or(f64::INFINITY);
            let is_whole = number.is_u64() || number.is_i64();
            (!double.is_finite() || (is_whole && double.abs() > MAX_SAFE_INTEGER)).then_some(number)
        }
        Value::Array(items) => items.iter().find_map(unsafe_number),
        Value::Object(members) => members.values().find_map(unsafe_number),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// Takes the white space between values out of a JSON text; all else stays as it was written.
fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut inside, mut escaped) = (false, false);
    for one in json.chars() {
        if inside {
            text.push(one);
            inside = escaped || one != '"';
            escaped = !escaped && one == '\\';
        } else if !one.is_ascii_whitespace() {
            text.push(one);
            inside = one == '"';
        }
    }
    text
}

fn invalid_answer(text: String) -> Error {
    Error::InvalidAnswer(text)
}

/// A value that a template misses in an element is missing in the answer.
fn of_answer(error: Error, place: &str) -> Error {
    match error {
        Error::InvalidInput(text) | Error::InvalidAnswer(text) => {
            invalid_answer(format!("{place}: {text}"))
        }
        error @ (Error::InvalidConfig(_) | Error::Other(_)) => error,
    }
}

fn no_object(place: &str, value: &Value) -> Error {
    invalid_answer(format!(
        "{place} is {}, not an object, and `fields` needs its members",
        kind_of(value)
    ))
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn there(members: &Map<String, Value>) -> String {
    names_there(members.keys().map(String::as_str))
}

/// Says which names there are.
pub(crate) fn names_there<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    match names.as_slice() {
        [] => "it has none".to_owned(),
        [one] => format!("it has {one}"),
        [first @ .., last] if names.len() <= SHOWN_MEMBERS => {
            format!("it has {} and {last}", first.join(", "))
        }
        many => format!(
            "it has {} and {} more",
            many[..SHOWN_MEMBERS].join(", "),
            many.len() - SHOWN_MEMBERS
        ),
    }
}

/// Shows a name that somebody else chose.
pub(crate) fn quoted(name: &str) -> String {
    let mut shown = String::from("`");
    for one in name.chars().take(SHOWN_CHARS) {
        if one.is_control() || is_invisible(one) {
            let _ = write!(shown, "{}", one.escape_default());
        } else {
            shown.push(one);
        }
    }
    if name.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests;
