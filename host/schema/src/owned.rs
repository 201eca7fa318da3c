//! A compiled schema that owns its text, so that it can be kept and shared by threads.

use std::fmt;

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::structure::Structure;
use super::{LimitExceeded, Schema, SchemaError, errors_within};

/// An untrusted schema that is kept together with its text.
///
/// What counts steps refers to the text. It is made again for each value, which costs a walk through the schema; to
/// compile the schema costs far more.
pub struct OwnedSchema {
    schema: Value,
    validator: Validator,
}

impl fmt::Debug for OwnedSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedSchema").field(&self.schema).finish()
    }
}

impl OwnedSchema {
    /// Compiles an untrusted schema.
    pub fn compile(schema: Value) -> Result<Self, SchemaError> {
        let validator = Schema::compile(&schema)?.validator;
        Ok(Self { schema, validator })
    }

    /// Maps the errors of a value by `convert`; at most [`MAX_ERRORS`](super::MAX_ERRORS).
    pub fn errors<T: Send>(
        &self,
        value: &Value,
        convert: impl FnMut(&ValidationError<'_>) -> T + Send,
    ) -> Result<Vec<T>, LimitExceeded> {
        let structure = Structure::of(&self.schema)?;
        errors_within(&self.validator, &structure, value, convert)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_owned_schema_has_the_limits_of_an_untrusted_one() {
        let schema =
            OwnedSchema::compile(json!({"properties": {"a": {"$ref": "#"}}, "type": "object"}));
        let schema = schema.unwrap();
        let paths =
            |value: &Value| schema.errors(value, |error| error.instance_path().as_str().to_owned());
        assert_eq!(paths(&json!({"a": {}})), Ok(Vec::new()));
        assert_eq!(paths(&json!({"a": {"a": 1}})), Ok(vec!["/a/a".to_owned()]));
        let wrong = OwnedSchema::compile(json!({"$ref": "#"}));
        assert!(matches!(
            wrong,
            Err(SchemaError::LimitExceeded(LimitExceeded::EndlessRecursion))
        ));
    }
}
