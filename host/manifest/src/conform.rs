//! Checks a value against a JSON Schema and says where it fails, in the words of the pipeline file.
//!
//! The whole file and the config of a layer are checked by the same code.

use jsonschema::JsonType;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::Value;

use super::error::{Finding, PipelineErrorKind};
use super::nearest::did_you_mean;
use super::position::{below, dotted};
use synix_schema::Schema;

/// A schema made ready.
pub(super) struct Checker<'a> {
    schema: &'a Value,
    ready: Schema<'a>,
}

fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

impl<'a> Checker<'a> {
    /// Makes a plugin's schema ready; fails with what is wrong with it.
    pub(super) fn new(schema: &'a Value) -> Result<Self, String> {
        let ready = Schema::new(schema).map_err(|error| in_words(&error))?;
        Ok(Self { schema, ready })
    }

    /// Makes a schema of our own ready.
    pub(super) fn trusted(schema: &'a Value) -> Result<Self, String> {
        let ready = Schema::trusted(schema).map_err(|error| in_words(&error))?;
        Ok(Self { schema, ready })
    }

    /// Returns all that does not fit in a value that stands at `place` in the file.
    pub(super) fn check(&self, value: &Value, place: &str) -> Vec<Finding> {
        let told = self.ready.errors(value, |error| {
            let mut found = Vec::new();
            self.translate(error, place, &mut found);
            found
        });
        match told {
            Ok(found) => found.into_iter().flatten().collect(),
            Err(costly) => {
                let kind = PipelineErrorKind::ConfigSchema(costly.to_string());
                vec![Finding::at_value(place, kind)]
            }
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the rules about a single value are listed below"
    )]
    fn translate(&self, error: &ValidationError<'_>, place: &str, found: &mut Vec<Finding>) {
        let pointer = format!("{place}{}", error.instance_path().as_str());
        let table = dotted(&pointer);
        let kind = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.properties_beside(error);
                found.extend(unexpected.iter().map(|key| {
                    let kind = PipelineErrorKind::UnknownKey {
                        key: key.clone(),
                        table: table.clone(),
                    };
                    let hint = did_you_mean(key, known.iter().map(String::as_str));
                    Finding::at_key(below(&pointer, key), kind).hint(hint)
                }));
                return;
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                self.translate_alternatives(error, context, place, found);
                return;
            }
            ValidationErrorKind::OneOfMultipleValid { .. } => {
                match self.required_by_alternatives(error) {
                    Some(keys) => PipelineErrorKind::OnlyOneOf { keys, table },
                    None => PipelineErrorKind::BadValue(
                        "fit only one of the forms it may have".to_owned(),
                    ),
                }
            }
            ValidationErrorKind::Required { property } => {
                let kind = PipelineErrorKind::MissingKey {
                    key: plain(property),
                    table,
                };
                let hint = self.needed_by(error, property);
                found.push(Finding::at_value(pointer, kind).hint(hint));
                return;
            }
            ValidationErrorKind::Type { kind } => wrong_type(types(kind), error.instance()),
            _ => broken_rule(error),
        };
        found.push(Finding::at_value(pointer, kind));
    }

    /// Says what several forms of a value have in common, or what the one that was meant lacks.
    fn translate_alternatives(
        &self,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        place: &str,
        found: &mut Vec<Finding>,
    ) {
        let pointer = format!("{place}{}", error.instance_path().as_str());
        let at = |kind| Finding::at_value(&pointer, kind);
        let here = |inner: &ValidationError<'_>| {
            inner.instance_path().as_str() == error.instance_path().as_str()
        };
        let of_its_type: Vec<_> = context
            .iter()
            .filter(|errors| {
                !errors.iter().any(|inner| {
                    here(inner) && matches!(inner.kind(), ValidationErrorKind::Type { .. })
                })
            })
            .collect();
        if let [meant] = of_its_type.as_slice() {
            meant
                .iter()
                .for_each(|inner| self.translate(inner, place, found));
            return;
        }
        let all_lack_a_key = context.iter().flatten().all(|inner| {
            here(inner) && matches!(inner.kind(), ValidationErrorKind::Required { .. })
        });
        if let Some(keys) = self
            .required_by_alternatives(error)
            .filter(|_| all_lack_a_key)
        {
            found.push(at(PipelineErrorKind::MissingOneOf {
                keys,
                table: dotted(&pointer),
            }));
            return;
        }
        let constants: Option<Vec<String>> = context
            .iter()
            .flatten()
            .filter(|inner| !matches!(inner.kind(), ValidationErrorKind::Type { .. }))
            .map(|inner| {
                let ValidationErrorKind::Constant { expected_value } = inner.kind() else {
                    return None;
                };
                here(inner).then(|| expected_value.to_string())
            })
            .collect();
        if let Some(constants) = constants.filter(|constants| !constants.is_empty()) {
            found.push(at(PipelineErrorKind::NotOneOf(constants)));
            return;
        }
        if of_its_type.is_empty() {
            let types = context.iter().flatten().filter_map(|inner| {
                let ValidationErrorKind::Type { kind } = inner.kind() else {
                    return None;
                };
                here(inner).then(|| types(kind))
            });
            found.push(at(wrong_type(types.flatten(), error.instance())));
            return;
        }
        // Options of a type made of alternatives nest: look into the one that can hold a value.
        let nested: Vec<_> = context
            .iter()
            .flatten()
            .filter(|inner| !matches!(inner.kind(), ValidationErrorKind::Type { .. }))
            .collect();
        match nested.as_slice() {
            [only] => self.translate(only, place, found),
            _ => found.push(at(PipelineErrorKind::BadValue(format!(
                "fit one of the {} forms it may have",
                context.len()
            )))),
        }
    }

    /// Says which keys ask for the one that is missing: `dependentRequired = { a = ["b"] }`.
    fn needed_by(&self, error: &ValidationError<'_>, missing: &Value) -> Option<String> {
        const RULE: &str = "/dependentRequired";
        let path = error.schema_path().as_str();
        let end = path.rfind(RULE)? + RULE.len();
        let rules = self.schema.pointer(&path[..end])?.as_object()?;
        let asks = |key: &&String| {
            error.instance().get(key.as_str()).is_some()
                && rules[key.as_str()]
                    .as_array()
                    .is_some_and(|needed| needed.contains(missing))
        };
        let keys: Vec<String> = rules
            .keys()
            .filter(asks)
            .map(|key| format!("`{key}`"))
            .collect();
        match keys.as_slice() {
            [] => None,
            [one] => Some(format!("{one} needs it")),
            many => Some(format!("{} need it", many.join(" and "))),
        }
    }

    /// Returns the names that the schema object of a finding knows.
    fn properties_beside(&self, error: &ValidationError<'_>) -> Vec<String> {
        let path = error.schema_path().as_str();
        let object = path
            .rsplit_once('/')
            .and_then(|(object, _)| self.schema.pointer(object));
        let properties = object
            .and_then(|object| object.get("properties"))
            .and_then(Value::as_object);
        properties
            .into_iter()
            .flat_map(|properties| properties.keys().cloned())
            .collect()
    }

    /// Returns the keys where every alternative only asks for keys: `oneOf = [{ required = ["a"] }, …]`.
    fn required_by_alternatives(&self, error: &ValidationError<'_>) -> Option<Vec<String>> {
        let alternatives = self
            .schema
            .pointer(error.schema_path().as_str())?
            .as_array()?;
        let mut keys = Vec::new();
        for alternative in alternatives {
            keys.extend(alternative.get("required")?.as_array()?.iter().map(plain));
        }
        Some(keys)
    }
}

/// Says which rule about a single value is broken.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "keywords that a schema rarely has keep the validator's words"
)]
fn broken_rule(error: &ValidationError<'_>) -> PipelineErrorKind {
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
        ValidationErrorKind::UniqueItems => rule("not have an item twice".to_owned()),
        other => rule(format!(
            "keep the rule `{}` of its schema: {error}",
            other.keyword()
        )),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn types(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(single) => vec![*single],
        TypeKind::Multiple(set) => set.iter().collect(),
    }
}

fn wrong_type(types: impl IntoIterator<Item = JsonType>, found: &Value) -> PipelineErrorKind {
    // TOML has no null: a key that may be null may be left out.
    let names: Vec<&str> = types
        .into_iter()
        .filter(|json| *json != JsonType::Null)
        .map(type_name)
        .collect();
    let expected = if names.is_empty() {
        "left out".to_owned()
    } else {
        names.join(" or ")
    };
    PipelineErrorKind::WrongType {
        expected,
        found: type_name(type_of(found)),
    }
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
