//! Validates a value against a JSON Schema, and translates the errors for users of the pipeline file.
//!
//! The same code validates the whole file and the configs of layers.

use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::Value;

use super::error::Finding;
use super::error_kind::PipelineErrorKind;
use super::nearest::did_you_mean;
use super::position::{child, dotted};
use super::schema_errors::{keyword_error, plain, types, wrong_type};
use synix_core::causes::with_causes;
use synix_schema::Schema;

/// A compiled schema.
pub(super) struct Validator<'a> {
    schema: &'a Value,
    compiled: Schema<'a>,
}

impl<'a> Validator<'a> {
    /// Compiles the schema of a plugin.
    pub(super) fn new(schema: &'a Value) -> Result<Self, String> {
        let compiled = Schema::compile(schema).map_err(|error| with_causes(&error))?;
        Ok(Self { schema, compiled })
    }

    /// Compiles a schema of synix itself.
    pub(super) fn trusted(schema: &'a Value) -> Result<Self, String> {
        let compiled = Schema::compile_trusted(schema).map_err(|error| with_causes(&error))?;
        Ok(Self { schema, compiled })
    }

    /// Returns all errors in a value; `base` is the JSON pointer to the value in the file.
    pub(super) fn validate(&self, value: &Value, base: &str) -> Vec<Finding> {
        let findings = self.compiled.errors(value, |error| {
            let mut found = Vec::new();
            self.translate(error, base, &mut found);
            found
        });
        match findings {
            Ok(found) => found.into_iter().flatten().collect(),
            Err(limit) => {
                let kind = PipelineErrorKind::ConfigSchema(limit.to_string());
                vec![Finding::at_value(base, kind)]
            }
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "`keyword_error` handles the keywords about a single value"
    )]
    fn translate(&self, error: &ValidationError<'_>, base: &str, found: &mut Vec<Finding>) {
        let pointer = format!("{base}{}", error.instance_path().as_str());
        let table = dotted(&pointer);
        let kind = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.known_properties(error);
                found.extend(unexpected.iter().map(|key| {
                    let kind = PipelineErrorKind::UnknownKey {
                        key: key.clone(),
                        table: table.clone(),
                    };
                    let hint = did_you_mean(key, known.iter().map(String::as_str));
                    Finding::at_key(child(&pointer, key), kind).hint(hint)
                }));
                return;
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                self.translate_alternatives(error, context, base, found);
                return;
            }
            ValidationErrorKind::OneOfMultipleValid { .. } => {
                match self.keys_of_alternatives(error) {
                    Some(keys) => PipelineErrorKind::MutuallyExclusive { keys, table },
                    None => {
                        PipelineErrorKind::BadValue("match only one of its alternatives".to_owned())
                    }
                }
            }
            ValidationErrorKind::Required { property } => {
                let kind = PipelineErrorKind::MissingKey {
                    key: plain(property),
                    table,
                };
                let hint = self.required_by(error, property);
                found.push(Finding::at_value(pointer, kind).hint(hint));
                return;
            }
            ValidationErrorKind::Type { kind } => wrong_type(types(kind), error.instance()),
            _ => keyword_error(error),
        };
        found.push(Finding::at_value(pointer, kind));
    }

    /// Reports what all alternatives have in common, or the errors of the alternative that was probably meant.
    fn translate_alternatives(
        &self,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        base: &str,
        found: &mut Vec<Finding>,
    ) {
        let pointer = format!("{base}{}", error.instance_path().as_str());
        let at = |kind| Finding::at_value(&pointer, kind);
        let is_at_same_value = |inner: &ValidationError<'_>| {
            inner.instance_path().as_str() == error.instance_path().as_str()
        };
        let of_its_type: Vec<_> = context
            .iter()
            .filter(|errors| {
                !errors.iter().any(|inner| {
                    is_at_same_value(inner)
                        && matches!(inner.kind(), ValidationErrorKind::Type { .. })
                })
            })
            .collect();
        if let [meant] = of_its_type.as_slice() {
            meant
                .iter()
                .for_each(|inner| self.translate(inner, base, found));
            return;
        }
        let all_lack_a_key = context.iter().flatten().all(|inner| {
            is_at_same_value(inner) && matches!(inner.kind(), ValidationErrorKind::Required { .. })
        });
        if let Some(keys) = self.keys_of_alternatives(error).filter(|_| all_lack_a_key) {
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
                is_at_same_value(inner).then(|| expected_value.to_string())
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
                is_at_same_value(inner).then(|| types(kind))
            });
            found.push(at(wrong_type(types.flatten(), error.instance())));
            return;
        }
        // Alternatives can be nested in an optional value: look into the one that is not null.
        let nested: Vec<_> = context
            .iter()
            .flatten()
            .filter(|inner| !matches!(inner.kind(), ValidationErrorKind::Type { .. }))
            .collect();
        match nested.as_slice() {
            [only] => self.translate(only, base, found),
            _ => found.push(at(PipelineErrorKind::BadValue(format!(
                "match one of its {} alternatives",
                context.len()
            )))),
        }
    }

    /// Returns which keys require the missing one: `dependentRequired = { a = ["b"] }`.
    fn required_by(&self, error: &ValidationError<'_>, missing: &Value) -> Option<String> {
        const RULE: &str = "/dependentRequired";
        let path = error.schema_path().as_str();
        let end = path.rfind(RULE)? + RULE.len();
        let rules = self.schema.pointer(&path[..end])?.as_object()?;
        let requires = |key: &&String| {
            error.instance().get(key.as_str()).is_some()
                && rules[key.as_str()]
                    .as_array()
                    .is_some_and(|needed| needed.contains(missing))
        };
        let keys: Vec<String> = rules
            .keys()
            .filter(requires)
            .map(|key| format!("`{key}`"))
            .collect();
        match keys.as_slice() {
            [] => None,
            [one] => Some(format!("{one} requires it")),
            many => Some(format!("{} require it", many.join(" and "))),
        }
    }

    /// Returns the names in the `properties` of the schema that reported an error.
    fn known_properties(&self, error: &ValidationError<'_>) -> Vec<String> {
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

    /// Returns the keys if every alternative only requires keys: `oneOf = [{ required = ["a"] }, …]`.
    fn keys_of_alternatives(&self, error: &ValidationError<'_>) -> Option<Vec<String>> {
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
