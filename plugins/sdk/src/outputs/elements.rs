//! Reads an answer in JSON: its members, and the elements of a list in it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::invalid_answer;
use super::names::{SHOWN_CHARS, names_there, quoted};
use crate::Error;

/// Returns the error for an answer that is not JSON.
pub(crate) fn not_json(answer: &str, error: &serde_json::Error) -> Error {
    let start: String = answer.trim_start().chars().take(SHOWN_CHARS).collect();
    let start = if start.is_empty() {
        "it is blank".to_owned()
    } else {
        format!("it begins with {start:?}")
    };
    invalid_answer(format!("the answer is not JSON: {error}; {start}"))
}

pub(super) fn members(answer: &str, place: &str) -> Result<Map<String, Value>, Error> {
    let value = serde_json::from_str(answer).map_err(|error| not_json(answer, &error))?;
    let Value::Object(members) = value else {
        return Err(not_object(place, &value));
    };
    Ok(members)
}

/// Returns the elements of the list, and the name of the list in errors.
pub(super) fn elements<'a>(
    answer: &'a str,
    member: Option<&str>,
) -> Result<(Vec<&'a RawValue>, String), Error> {
    let whole: Value = serde_json::from_str(answer).map_err(|error| not_json(answer, &error))?;
    let (found, place, raw) = match (member, &whole) {
        (None, _) => (&whole, "the answer".to_owned(), answer),
        (Some(name), Value::Object(members)) => {
            let found = members.get(name).ok_or_else(|| {
                invalid_answer(format!(
                    "the answer has no member {}, which `explode` names; {}",
                    quoted(name),
                    list_members(members)
                ))
            })?;
            // The answer is parsed again for the raw texts, so that numbers and the order of members do not change.
            let raw = serde_json::from_str::<BTreeMap<String, &RawValue>>(answer)
                .ok()
                .and_then(|members| members.get(name).map(|raw| raw.get()))
                .unwrap_or_default();
            (found, format!("{} in the answer", quoted(name)), raw)
        }
        (Some(name), other) => {
            let hint = if other.is_array() {
                "; use `explode = true` for a list that is the answer itself"
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
                    list_members(members)
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

pub(super) fn not_object(place: &str, value: &Value) -> Error {
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

pub(super) fn list_members(members: &Map<String, Value>) -> String {
    names_there(members.keys().map(String::as_str))
}

/// Removes the white space between the values of a JSON text, and changes nothing else.
pub(super) fn compact(json: &str) -> String {
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

/// Converts the error of a template over an element: a missing value is a fault of the answer.
pub(super) fn answer_error(error: Error, place: &str) -> Error {
    match error {
        Error::InvalidInput(text) | Error::InvalidAnswer(text) => {
            invalid_answer(format!("{place}: {text}"))
        }
        error @ (Error::InvalidConfig(_) | Error::Other(_)) => error,
    }
}
