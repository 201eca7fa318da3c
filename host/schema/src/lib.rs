//! Compiles untrusted JSON Schemas and validates values against them, within limits.
//!
//! A few lines of schema can require 2³⁰ steps or unbounded recursion, and the fuel of a guest does not cover them. So
//! this crate first counts the size of a schema, its references, and the steps that a value needs. [`SchemaError`] and
//! [`LimitExceeded`] report what is too much, in the same way on every machine. References never lead to a file or a
//! server, and matching a pattern takes linear time.
//!
//! ```
//! use serde_json::json;
//! use synix_schema::Schema;
//!
//! let text = json!({"type": "object", "required": ["prompt"]});
//! let schema = Schema::compile(&text)?;
//! assert!(schema.is_valid(&json!({"prompt": "Summarise {{ content }}"}))?);
//! assert!(!schema.is_valid(&json!({}))?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod owned;
mod steps;
mod structure;

use std::thread;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

pub use self::owned::OwnedSchema;
use self::steps::StepCounter;
use self::structure::Structure;

/// The maximum number of errors that are reported for a value.
pub const MAX_ERRORS: usize = 100;
/// The maximum number of steps for which all errors are collected. Beyond it, only the first one is reported,
/// because each error contains parts of the value.
const MAX_STEPS_WITH_ALL_ERRORS: u64 = 100_000;
/// The number of levels for which the stack of any thread is large enough.
const MAX_LEVELS_INLINE: usize = 128;
const STACK_BYTES_PER_LEVEL: usize = 16 << 10;
/// The maximum size of all compiled patterns together.
const MAX_PATTERN_BYTES: usize = 32 << 20;
const MAX_BYTES_PER_PATTERN: usize = 8 << 20;

/// A limit that a schema or the validation of a value exceeds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// Validating a value would take too many steps.
    #[error("validating a value against it takes more than {limit} steps")]
    Steps {
        /// The limit.
        limit: u64,
    },
    /// The schema would recurse forever.
    #[error("it refers to itself without descending into the value")]
    EndlessRecursion,
    /// The schema contains too much of something.
    #[error("it has {found} {what}; {limit} are allowed")]
    Size {
        /// What is counted.
        what: &'static str,
        /// The number in the schema.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The system cannot start a thread with a large stack.
    #[error("this machine does not have enough memory to validate a schema of this depth")]
    NoThread,
}

/// Why a schema is unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The schema exceeds a limit.
    #[error("the schema is too expensive to validate")]
    LimitExceeded(#[from] LimitExceeded),
    /// The value is not a JSON Schema.
    #[error("it is not a JSON Schema: {0}")]
    Invalid(String),
}

/// A compiled schema.
pub struct Schema<'a> {
    validator: Validator,
    /// `None` for a trusted schema, which has no limits.
    structure: Option<Structure<'a>>,
}

impl<'a> Schema<'a> {
    /// Compiles an untrusted schema.
    pub fn compile(schema: &'a Value) -> Result<Self, SchemaError> {
        let structure = Structure::of(schema)?;
        let patterns = (MAX_PATTERN_BYTES / structure.patterns.max(1)).min(MAX_BYTES_PER_PATTERN);
        let validator = run_with_stack(structure.levels, || {
            // This must precede everything that follows references.
            StepCounter::new(&structure).check_schema()?;
            build_validator(schema, patterns)
        })??;
        Ok(Self {
            validator,
            structure: Some(structure),
        })
    }

    /// Compiles a schema of synix itself, which may validate values of any size.
    pub fn compile_trusted(schema: &'a Value) -> Result<Self, SchemaError> {
        Ok(Self {
            validator: build_validator(schema, MAX_BYTES_PER_PATTERN)?,
            structure: None,
        })
    }

    /// Returns whether a value is valid.
    pub fn is_valid(&self, value: &Value) -> Result<bool, LimitExceeded> {
        let Some(structure) = &self.structure else {
            return Ok(self.validator.is_valid(value));
        };
        run_with_stack(structure.levels, || {
            StepCounter::new(structure).count(value)?;
            Ok(self.validator.is_valid(value))
        })?
    }

    /// Maps the errors of a value by `convert`; at most [`MAX_ERRORS`] unless the schema is trusted.
    pub fn errors<T: Send>(
        &self,
        value: &Value,
        mut convert: impl FnMut(&ValidationError<'_>) -> T + Send,
    ) -> Result<Vec<T>, LimitExceeded> {
        let Some(structure) = &self.structure else {
            return Ok(self
                .validator
                .iter_errors(value)
                .map(|error| convert(&error))
                .collect());
        };
        errors_within(&self.validator, structure, value, convert)
    }
}

/// Collects the errors of a value within the limits of an untrusted schema.
fn errors_within<T: Send>(
    validator: &Validator,
    structure: &Structure<'_>,
    value: &Value,
    mut convert: impl FnMut(&ValidationError<'_>) -> T + Send,
) -> Result<Vec<T>, LimitExceeded> {
    run_with_stack(structure.levels, || {
        let steps = StepCounter::new(structure).count(value)?;
        // Most values are valid, and collecting errors is slower.
        if validator.is_valid(value) {
            return Ok(Vec::new());
        }
        if steps > MAX_STEPS_WITH_ALL_ERRORS {
            let first = validator.validate(value).err();
            return Ok(first.iter().map(convert).collect());
        }
        let errors = validator.iter_errors(value).take(MAX_ERRORS);
        Ok(errors.map(|error| convert(&error)).collect())
    })?
}

fn build_validator(schema: &Value, pattern_bytes: usize) -> Result<Validator, SchemaError> {
    jsonschema::options()
        .with_pattern_options(
            PatternOptions::regex()
                .size_limit(pattern_bytes)
                .dfa_size_limit(pattern_bytes),
        )
        .offline()
        .build(schema)
        .map_err(|error| SchemaError::Invalid(error.to_string()))
}

/// Runs `task` on a thread whose stack is large enough for `levels` levels of a schema.
fn run_with_stack<T: Send>(
    levels: usize,
    task: impl FnOnce() -> T + Send,
) -> Result<T, LimitExceeded> {
    if levels <= MAX_LEVELS_INLINE {
        return Ok(task());
    }
    thread::scope(|scope| {
        let started = thread::Builder::new()
            .stack_size(levels.saturating_mul(STACK_BYTES_PER_LEVEL))
            .spawn_scoped(scope, task)
            .map_err(|_| LimitExceeded::NoThread)?;
        match started.join() {
            Ok(result) => Ok(result),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests;
