//! What is wrong with an answer: the place, what the schema expects there, and what is there instead.
//!
//! The texts are part of the request that asks again, and so of its key. They are our own, not those of the validator: a
//! new version of it must not change the key of a request that was paid for.

use std::fmt;

use jsonschema::JsonType;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::Value;

/// The maximum number of characters of a value that is quoted.
const MAX_QUOTED: usize = 60;

/// A part of an answer that does not match the schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The place in the JSON of the answer, as a JSON Pointer; empty for all of it.
    pub pointer: String,
    /// What the schema expects there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Problem {
    pub(crate) fn new(
        pointer: String,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            pointer,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// Describes an error of the validator.
    pub(crate) fn of(error: &ValidationError<'_>) -> Self {
        let value = error.instance();
        let (expected, found) = expectation(error.kind(), value);
        let found = found.unwrap_or_else(|| described(value));
        Self::new(error.instance_path().as_str().to_owned(), expected, found)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pointer,
            expected,
            found,
        } = self;
        if pointer.is_empty() {
            write!(f, "at the top level: expected {expected}, found {found}")
        } else {
            write!(f, "at {pointer}: expected {expected}, found {found}")
        }
    }
}

/// Returns what a keyword expects, and what was found unless that is the value itself.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rare keyword is named, and nothing else is known of it"
)]
fn expectation(kind: &ValidationErrorKind, value: &Value) -> (String, Option<String>) {
    use ValidationErrorKind as Kind;
    let expected = match kind {
        Kind::Type { kind } => types(kind),
        Kind::Required { property } => {
            let found = "an object without it".to_owned();
            return (format!("the member {property}"), Some(found));
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let names: Vec<String> = unexpected.iter().take(5).map(|name| quoted(name)).collect();
            let more = if unexpected.len() > names.len() {
                " and others"
            } else {
                ""
            };
            let found = format!("the members {}{more}", names.join(", "));
            return (
                "no other members than those of the schema".to_owned(),
                Some(found),
            );
        }
        Kind::Enum { options } => format!("one of {}", shortened(&options.to_string(), 200)),
        Kind::Constant { expected_value } => shortened(&expected_value.to_string(), 200),
        Kind::Minimum { limit } => format!("at least {limit}"),
        Kind::Maximum { limit } => format!("at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::MinLength { limit } => format!("at least {limit} characters"),
        Kind::MaxLength { limit } => format!("at most {limit} characters"),
        Kind::MinItems { limit } => format!("at least {limit} items"),
        Kind::MaxItems { limit } => format!("at most {limit} items"),
        Kind::AdditionalItems { limit } => format!("at most {limit} items"),
        Kind::MinProperties { limit } => format!("at least {limit} members"),
        Kind::MaxProperties { limit } => format!("at most {limit} members"),
        Kind::UniqueItems => "no item twice".to_owned(),
        Kind::Pattern { pattern } => {
            format!(
                "a string that matches the pattern {}",
                shortened(pattern, 200)
            )
        }
        Kind::Format { format } => format!("a string in the format {format}"),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        Kind::AnyOf { .. } => "a value that matches one of `anyOf`".to_owned(),
        Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => {
            "a value that matches exactly one of `oneOf`".to_owned()
        }
        Kind::FalseSchema => "nothing".to_owned(),
        other => format!("a value that satisfies `{}`", other.keyword()),
    };
    let count = match (kind, value) {
        (
            Kind::MinItems { .. } | Kind::MaxItems { .. } | Kind::AdditionalItems { .. },
            Value::Array(items),
        ) => Some(format!("{} items", items.len())),
        (Kind::MinLength { .. } | Kind::MaxLength { .. }, Value::String(text)) => {
            Some(format!("{} characters", text.chars().count()))
        }
        _ => None,
    };
    (expected, count)
}

fn types(kind: &TypeKind) -> String {
    let names: Vec<&str> = match kind {
        TypeKind::Single(single) => vec![name(*single)],
        TypeKind::Multiple(several) => several.iter().map(name).collect(),
    };
    names.join(" or ")
}

const fn name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "boolean",
        JsonType::Integer => "integer",
        JsonType::Number => "number",
        JsonType::String => "string",
        JsonType::Array => "array",
        JsonType::Object => "object",
    }
}

/// Returns the type of a value, and the value itself if it is short.
fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("boolean {value}"),
        Value::Number(number) => format!("number {number}"),
        Value::String(text) => format!("string {}", quoted(text)),
        Value::Array(items) => format!("array of {} items", items.len()),
        Value::Object(members) => format!("object of {} members", members.len()),
    }
}

/// Returns the start of a text as a JSON string.
fn quoted(text: &str) -> String {
    Value::from(shortened(text, MAX_QUOTED)).to_string()
}

pub(crate) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
