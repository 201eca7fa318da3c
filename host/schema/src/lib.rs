//! JSON Schemas of strangers: made ready and asked within a budget.
//!
//! A few lines of schema can ask for 2³⁰ steps, or for a stack without end, and
//! no fuel counts them. So its size, its references and the steps that one
//! value takes are counted first; [`Unusable`] and [`TooCostly`] say what is
//! too much, the same on every machine. References lead to no file and no
//! server, and a pattern takes linear time.
//!
//! ```
//! use serde_json::json;
//! use synix_schema::Schema;
//!
//! let text = json!({"type": "object", "required": ["prompt"]});
//! let schema = Schema::new(&text)?;
//! assert!(schema.is_valid(&json!({"prompt": "Summarise {{ content }}"}))?);
//! assert!(!schema.is_valid(&json!({}))?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod cost;
mod outline;

use std::thread;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use self::cost::Costs;
use self::outline::Outline;

/// The errors that are told of one value.
pub const MOST_ERRORS: usize = 100;
/// Steps after which errors are no longer collected, only the first is told: each keeps parts of the value.
const STEPS_WITH_ERRORS: u64 = 100_000;
/// Levels that any thread's stack has room for.
const LEVELS_INLINE: usize = 128;
const STACK_FOR_EACH_LEVEL: usize = 16 << 10;
/// The machine code and tables of all patterns together.
const PATTERN_BYTES: usize = 32 << 20;
const ONE_PATTERN_BYTES: usize = 8 << 20;

/// Why a schema, or a value against it, is not checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooCostly {
    /// One value would take too many steps.
    #[error("checking one value against it takes more than {limit} steps")]
    Steps {
        /// The limit.
        limit: u64,
    },
    /// It never ends.
    #[error("it refers to itself without looking deeper into the value")]
    Endless,
    /// There is too much of something.
    #[error("it has {found} {what}; {limit} are allowed")]
    Size {
        /// Of what.
        what: &'static str,
        /// How much.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The machine has no thread for a deep one.
    #[error("this machine has no memory to check it")]
    NoThread,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It takes too much.
    #[error("the schema costs too much to check")]
    Costly(#[from] TooCostly),
    /// It is no JSON Schema.
    #[error("it is not a JSON Schema: {0}")]
    Invalid(String),
}

/// A schema made ready.
pub struct Schema<'a> {
    validator: Validator,
    /// `None`: our own, without a budget.
    outline: Option<Outline<'a>>,
}

impl<'a> Schema<'a> {
    /// Makes a schema of anyone ready.
    pub fn new(schema: &'a Value) -> Result<Self, Unusable> {
        let outline = Outline::of(schema)?;
        let patterns = (PATTERN_BYTES / outline.patterns.max(1)).min(ONE_PATTERN_BYTES);
        let validator = deep(outline.levels, || {
            // Before anything else that follows references.
            Costs::new(&outline).check()?;
            build(schema, patterns)
        })??;
        Ok(Self {
            validator,
            outline: Some(outline),
        })
    }

    /// Makes a schema of our own ready, which may check values of any size.
    pub fn trusted(schema: &'a Value) -> Result<Self, Unusable> {
        Ok(Self {
            validator: build(schema, ONE_PATTERN_BYTES)?,
            outline: None,
        })
    }

    /// Tells whether a value fits.
    pub fn is_valid(&self, value: &Value) -> Result<bool, TooCostly> {
        let Some(outline) = &self.outline else {
            return Ok(self.validator.is_valid(value));
        };
        deep(outline.levels, || {
            Costs::new(outline).of(value)?;
            Ok(self.validator.is_valid(value))
        })?
    }

    /// Gives what is wrong with a value to `tell`, at most [`MOST_ERRORS`] of a schema that is not our own.
    pub fn errors<T: Send>(
        &self,
        value: &Value,
        mut tell: impl FnMut(&ValidationError<'_>) -> T + Send,
    ) -> Result<Vec<T>, TooCostly> {
        let Some(outline) = &self.outline else {
            return Ok(self
                .validator
                .iter_errors(value)
                .map(|error| tell(&error))
                .collect());
        };
        deep(outline.levels, || {
            let steps = Costs::new(outline).of(value)?;
            // Most values fit, and then no error is made.
            if self.validator.is_valid(value) {
                return Ok(Vec::new());
            }
            if steps > STEPS_WITH_ERRORS {
                let first = self.validator.validate(value).err();
                return Ok(first.iter().map(tell).collect());
            }
            let errors = self.validator.iter_errors(value).take(MOST_ERRORS);
            Ok(errors.map(|error| tell(&error)).collect())
        })?
    }
}

fn build(schema: &Value, pattern_bytes: usize) -> Result<Validator, Unusable> {
    jsonschema::options()
        .with_pattern_options(
            PatternOptions::regex()
                .size_limit(pattern_bytes)
                .dfa_size_limit(pattern_bytes),
        )
        .offline()
        .build(schema)
        .map_err(|error| Unusable::Invalid(error.to_string()))
}

/// Runs `act` where there is stack for so many levels of a schema.
fn deep<T: Send>(levels: usize, act: impl FnOnce() -> T + Send) -> Result<T, TooCostly> {
    if levels <= LEVELS_INLINE {
        return Ok(act());
    }
    thread::scope(|scope| {
        let started = thread::Builder::new()
            .stack_size(levels.saturating_mul(STACK_FOR_EACH_LEVEL))
            .spawn_scoped(scope, act)
            .map_err(|_| TooCostly::NoThread)?;
        match started.join() {
            Ok(done) => Ok(done),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests;
