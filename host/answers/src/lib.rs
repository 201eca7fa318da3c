//! Answers that must match a JSON Schema: the `response_format` of their request.
//!
//! [`AnswerFormat::fit`] finds the JSON in an answer and checks it. Both are pure functions of the schema and the text,
//! so an answer fits in every mode and every build, or in none. [`repair`] makes the request that asks again.
//!
//! ```
//! use serde_json::json;
//! use synix_answers::{AnswerFormat, Fit};
//!
//! let format = AnswerFormat::compile(json!({"type": "object", "required": ["title"]}))?;
//! assert_eq!(format.fit("Sure: {\"title\": \"Rain\"}")?, Fit::Json("{\"title\": \"Rain\"}"));
//! let Fit::Unfit(unfit) = format.fit("{\"titel\": \"Rain\"}")? else { panic!() };
//! assert_eq!(
//!     unfit.to_string(),
//!     "at the top level: expected the member \"title\", found an object without it"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod extract;
mod fences;
mod formats;
mod kinds;
mod problem;
mod repair;
mod scan;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use serde_json::Value;

use kinds::Kinds;
use synix_core::request::{Message, Role};
use synix_schema::{LimitExceeded, OwnedSchema, SchemaError};

pub use formats::AnswerFormats;
pub use problem::Problem;
pub use repair::{MAX_ANSWER_BYTES, MAX_MESSAGE_BYTES, MAX_PROBLEMS, repair};

/// A schema of answers, compiled.
#[derive(Debug)]
pub struct AnswerFormat {
    schema: OwnedSchema,
    kinds: Kinds,
}

/// Whether an answer fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit<'t> {
    /// It does, and this part of it is its JSON.
    Json(&'t str),
    /// It does not.
    Unfit(Unfit),
}

/// Why an answer does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// What is wrong with it, in the order of the places; at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.problems.split_first() else {
            return Ok(());
        };
        write!(f, "{first}")?;
        match others.len() {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl From<Problem> for Unfit {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl AnswerFormat {
    /// Compiles the schema of a plugin, which is not trusted.
    pub fn compile(schema: Value) -> Result<Self, SchemaError> {
        Ok(Self {
            kinds: Kinds::of_schema(&schema),
            schema: OwnedSchema::compile(schema)?,
        })
    }

    /// Finds the JSON in an answer and checks it. The error is [`LimitExceeded::NoThread`]: that of this machine.
    pub fn fit<'t>(&self, answer: &'t str) -> Result<Fit<'t>, LimitExceeded> {
        let json = match extract::json_in(answer, self.kinds) {
            Ok(json) => json,
            Err(problem) => return Ok(Fit::Unfit(problem.into())),
        };
        let value = match value::read(json) {
            Ok(value) => value,
            Err(problem) => return Ok(Fit::Unfit(problem.into())),
        };
        let mut problems = match self.schema.errors(&value, Problem::of) {
            Ok(problems) => problems,
            Err(LimitExceeded::NoThread) => return Err(LimitExceeded::NoThread),
            Err(_) => {
                let expected = "an answer that is cheaper to check";
                vec![Problem::new(String::new(), expected, "too many values")]
            }
        };
        if problems.is_empty() {
            return Ok(Fit::Json(json));
        }
        // The order of the validator is its own business, and the message is part of a request key.
        problems.sort();
        problems.dedup();
        Ok(Fit::Unfit(Unfit { problems }))
    }
}

/// Returns the schema that an answer must match; `format` is what its request asks for.
///
/// If the last message is the model's own, the answer continues it: the rest of a JSON text is not JSON.
pub fn required_format<'r>(messages: &[Message], format: Option<&'r Value>) -> Option<&'r Value> {
    let continues = messages
        .last()
        .is_some_and(|last| last.role == Role::Assistant);
    format.filter(|_| !continues)
}
