//! The front matter of a Markdown file, which becomes metadata.
//!
//! It is YAML 1.2 between two lines `---`, and the first of these is the first line of the file. Dates, `yes` and `no`
//! are texts.

use serde_json::{Map, Value};
use serde_saphyr::{NonFiniteFloatPolicy, Options, UserMessageFormatter};

use crate::{FrontMatterProblem, Metadata};

/// The largest integer up to which a double represents every integer: 2^53 - 1.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
/// The maximum length of a name in characters.
const MAX_NAME_CHARS: usize = 128;
/// The maximum length of a line that an error corrects, in characters.
const MAX_ADVICE_CHARS: usize = 200;

/// The maximum size of the front matter in bytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// Splits a text into its metadata and the unchanged rest after the front matter.
///
/// A text that starts with a thematic break has no front matter. An error has the number of its line in the file.
pub(crate) fn split(text: &str) -> Result<(Metadata, &str), (usize, FrontMatterProblem)> {
    let without_front_matter = Ok((Metadata::new(), text));
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_fence(line)) else {
        return without_front_matter;
    };
    let rest = &text[first.len()..];
    let mut end = 0;
    for line in lines {
        if is_fence(line) {
            let block = &rest[..end];
            return match parse_metadata(block) {
                Ok(metadata) => Ok((metadata, &rest[end + line.len()..])),
                Err(problem) if looks_like_metadata(block) => Err(problem),
                Err(_) => without_front_matter,
            };
        }
        end += line.len();
    }
    if looks_like_metadata(rest) {
        return Err((1, FrontMatterProblem::NoEnd));
    }
    without_front_matter
}

fn is_fence(line: &str) -> bool {
    line.trim_end() == "---"
}

/// Returns whether the text after a first line `---` is probably metadata: it starts immediately with a name.
fn looks_like_metadata(rest: &str) -> bool {
    let mut lines = rest.lines();
    let first = lines.find(|line| !line.trim_start().starts_with('#'));
    first.is_some_and(|line| key_of(line).is_some() || line.starts_with(['?', '{']))
}

/// Returns the name in a line `name: value`, even if the space is missing.
fn key_of(line: &str) -> Option<&str> {
    let line = line.trim();
    let (key, rest) = line.split_once(':')?;
    let is_word = || {
        key.chars()
            .all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'))
    };
    let is_separated = rest.is_empty() || rest.starts_with(char::is_whitespace);
    let is_key = !key.is_empty() && (is_separated || (is_word() && !rest.starts_with("//")));
    is_key.then_some(key)
}

/// Parses a block that starts on line 2 of its file.
fn parse_metadata(block: &str) -> Result<Metadata, (usize, FrontMatterProblem)> {
    if block.trim().is_empty() {
        return Ok(Metadata::new());
    }
    if block.len() > MAX_BYTES {
        return Err((1, FrontMatterProblem::TooLarge));
    }
    let problem = |error: &serde_saphyr::Error| {
        let line = error
            .location()
            .and_then(|location| usize::try_from(location.line()).ok())
            .unwrap_or(1);
        let mut message = message_without_location(error);
        let source_line = block.lines().nth(line.saturating_sub(1));
        message.push_str(&source_line.and_then(quoting_advice).unwrap_or_default());
        (line + 1, FrontMatterProblem::Yaml(message))
    };
    let value: Value =
        serde_saphyr::from_str_with_options(block, options()).map_err(|error| problem(&error))?;
    match value {
        Value::Object(members) => check_members(members, block),
        Value::Null => Ok(Metadata::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err((2, FrontMatterProblem::NotAMapping))
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        // Large enough for a page of metadata, but small, because a file may be hostile.
        budget: serde_saphyr::budget! { max_events: 100_000, max_nodes: 50_000, max_depth: 32 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        strict_booleans: true,
        no_schema: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    }
}

/// Returns the parser's message without the location, which is relative to the block.
fn message_without_location(error: &serde_saphyr::Error) -> String {
    let message = error.render_with_formatter(&UserMessageFormatter);
    match error.location() {
        Some(location) => {
            let suffix = format!(" at line {}, column {}", location.line(), location.column());
            message.strip_suffix(&suffix).unwrap_or(&message).to_owned()
        }
        None => message,
    }
}

/// Returns a corrected line if its value needs quotes.
fn quoting_advice(line: &str) -> Option<String> {
    let (key, value) = line.trim().split_once(':')?;
    let value = value.trim();
    let needs_quotes = value.contains(": ")
        || value.ends_with(':')
        || value.starts_with([
            '@', '`', '%', '*', '&', '!', '|', '>', '[', '{', ',', '?', '"', '\'',
        ]);
    if key.is_empty() || !needs_quotes || line.chars().nth(MAX_ADVICE_CHARS).is_some() {
        return None;
    }
    let plain = value.trim_matches(['"', '\'']).replace('\'', "''");
    Some(format!("; put the value in quotes: {key}: '{plain}'"))
}

fn check_members(
    members: Map<String, Value>,
    block: &str,
) -> Result<Metadata, (usize, FrontMatterProblem)> {
    for (name, value) in &members {
        let line = || line_of(block, name);
        if name.is_empty()
            || name.chars().any(char::is_control)
            || name.chars().nth(MAX_NAME_CHARS).is_some()
        {
            return Err((
                line(),
                FrontMatterProblem::Name(name.chars().take(MAX_NAME_CHARS).collect()),
            ));
        }
        if let Some(number) = find_inexact_number(value) {
            let problem = FrontMatterProblem::Number {
                name: name.clone(),
                number: number.clone(),
            };
            return Err((line(), problem));
        }
    }
    Ok(members.into_iter().collect())
}

/// Returns an integer that a double may not hold exactly.
fn find_inexact_number(value: &Value) -> Option<&serde_json::Number> {
    match value {
        Value::Number(number) => {
            let double = number.as_f64().unwrap_or(f64::INFINITY);
            (double.fract() == 0.0 && double.abs() > MAX_SAFE_INTEGER).then_some(number)
        }
        Value::Array(items) => items.iter().find_map(find_inexact_number),
        Value::Object(members) => members.values().find_map(find_inexact_number),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// Returns the probable line, in the file, of a name in the outermost mapping of the block.
fn line_of(block: &str, name: &str) -> usize {
    let forms = [name.to_owned(), format!("{name:?}"), format!("'{name}'")];
    let has_name = |line: &str| {
        let mut remainders = forms
            .iter()
            .filter_map(|form| line.strip_prefix(form.as_str()));
        remainders.any(|rest| rest.trim_start().starts_with(':'))
    };
    block.lines().position(has_name).map_or(2, |line| line + 2)
}

#[cfg(test)]
mod tests;
