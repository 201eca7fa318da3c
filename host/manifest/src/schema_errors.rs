//! Messages for values that violate a keyword of a JSON Schema.

use jsonschema::JsonType;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::Value;

use super::error_kind::PipelineErrorKind;

/// Returns the error for a keyword about a single value.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "rare keywords have the message of the validator"
)]
pub(super) fn keyword_error(error: &ValidationError<'_>) -> PipelineErrorKind {
    let rule = PipelineErrorKind::BadValue;
    match error.kind() {
        ValidationErrorKind::Enum { options } => PipelineErrorKind::NotOneOf(
            options
                .as_array()
                .into_iter()
                .flatten()
                .filter(|option| !option.is_null())
                .map(Value::to_string)
                .collect(),
        ),
        ValidationErrorKind::Constant { expected_value } => {
            PipelineErrorKind::NotOneOf(vec![expected_value.to_string()])
        }
        ValidationErrorKind::Minimum { limit } => rule(format!("be at least {limit}")),
        ValidationErrorKind::Maximum { limit } => rule(format!("be at most {limit}")),
        ValidationErrorKind::ExclusiveMinimum { limit } => rule(format!("be more than {limit}")),
        ValidationErrorKind::ExclusiveMaximum { limit } => rule(format!("be less than {limit}")),
        ValidationErrorKind::MinLength { limit: 1 }
        | ValidationErrorKind::MinItems { limit: 1 } => rule("not be empty".to_owned()),
        ValidationErrorKind::MinLength { limit } => {
            rule(format!("have at least {limit} characters"))
        }
        ValidationErrorKind::MaxLength { limit } => {
            rule(format!("have at most {limit} characters"))
        }
        ValidationErrorKind::MinItems { limit } => rule(format!("have at least {limit} items")),
        ValidationErrorKind::MaxItems { limit } => rule(format!("have at most {limit} items")),
        ValidationErrorKind::MinProperties { limit } => rule(format!("have at least {limit} keys")),
        ValidationErrorKind::MaxProperties { limit } => rule(format!("have at most {limit} keys")),
        ValidationErrorKind::Pattern { pattern } if pattern == r"\S" => {
            rule("not be empty".to_owned())
        }
        ValidationErrorKind::Pattern { pattern } => rule(format!("match `{pattern}`")),
        ValidationErrorKind::UniqueItems => rule("not contain an item twice".to_owned()),
        other => rule(format!(
            "satisfy `{}` in its schema: {error}",
            other.keyword()
        )),
    }
}

pub(super) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn types(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(single) => vec![*single],
        TypeKind::Multiple(set) => set.iter().collect(),
    }
}

pub(super) fn wrong_type(
    types: impl IntoIterator<Item = JsonType>,
    found: &Value,
) -> PipelineErrorKind {
    // TOML has no null. A key that may be null is optional.
    let names: Vec<&str> = types
        .into_iter()
        .filter(|json| *json != JsonType::Null)
        .map(type_name)
        .collect();
    let expected = if names.is_empty() {
        "absent".to_owned()
    } else {
        names.join(" or ")
    };
    PipelineErrorKind::WrongType {
        expected,
        found: type_name(type_of(found)),
    }
}

/// Returns the error for a value that must be a table.
pub(super) fn wrong_table(found: &Value) -> PipelineErrorKind {
    wrong_type([JsonType::Object], found)
}

fn type_of(value: &Value) -> JsonType {
    match value {
        Value::Null => JsonType::Null,
        Value::Bool(_) => JsonType::Boolean,
        Value::Number(number) if number.is_f64() => JsonType::Number,
        Value::Number(_) => JsonType::Integer,
        Value::String(_) => JsonType::String,
        Value::Array(_) => JsonType::Array,
        Value::Object(_) => JsonType::Object,
    }
}

fn type_name(json: JsonType) -> &'static str {
    match json {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a table",
        JsonType::String => "a text",
    }
}
