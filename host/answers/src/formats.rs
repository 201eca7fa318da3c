//! Compiled schemas, shared by the threads that check answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;

use super::AnswerFormat;
use synix_core::digest::Digest;
use synix_core::json;
use synix_schema::{LimitExceeded, SchemaError};

/// The maximum number of compiled schemas. A plugin may have another one in each request.
const MAX_FORMATS: usize = 64;

type Compiled = Arc<OnceLock<Result<Arc<AnswerFormat>, SchemaError>>>;

/// Compiles each schema once.
#[derive(Debug, Default)]
pub struct AnswerFormats(Mutex<HashMap<Digest, Compiled>>);

impl AnswerFormats {
    /// Returns the compiled form of a schema, or why it is unusable.
    pub fn get(&self, schema: &Value) -> Result<Arc<AnswerFormat>, SchemaError> {
        let text = json::canonical(schema).unwrap_or_else(|_| schema.to_string());
        let key = Digest::of(text.as_bytes());
        // Compiled without the lock: other threads need other schemas.
        let compiled = Arc::clone(self.lock_with_room().entry(key).or_default());
        let result = compiled
            .get_or_init(|| AnswerFormat::compile(schema.clone()).map(Arc::new))
            .clone();
        if let Err(SchemaError::LimitExceeded(LimitExceeded::NoThread)) = result {
            self.lock_with_room().remove(&key);
        }
        result
    }

    fn lock_with_room(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Compiled>> {
        let mut formats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if formats.len() >= MAX_FORMATS {
            formats.clear();
        }
        formats
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_compiled_once_and_a_wrong_one_is_remembered() {
        let formats = AnswerFormats::default();
        let first = formats
            .get(&json!({"type": "object", "required": ["a"]}))
            .unwrap();
        let second = formats
            .get(&json!({"required": ["a"], "type": "object"}))
            .unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        for _ in 0..2 {
            assert!(matches!(
                formats.get(&json!({"type": "thing"})),
                Err(SchemaError::Invalid(_))
            ));
        }
    }

    #[test]
    fn many_schemas_take_limited_memory() {
        let formats = AnswerFormats::default();
        for number in 0..3 * MAX_FORMATS {
            assert!(formats.get(&json!({"const": number})).is_ok());
        }
        assert!(formats.lock_with_room().len() <= MAX_FORMATS);
    }
}
