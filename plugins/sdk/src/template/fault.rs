//! Error messages for templates and for the values that they name.

use std::fmt::Write as _;

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind};

use super::{Template, filters};
use crate::Error;
use crate::outputs::{names_there, quoted};

/// The maximum number of characters of a template's line in an error.
const SHOWN_CHARS: usize = 80;

impl Template<'_> {
    /// Converts an error: an invalid template is an invalid config, anything else an invalid input.
    pub(super) fn explain(self, error: &minijinja::Error, variables: &Value) -> Error {
        let mut text = self.message(error, variables);
        let _ = match error.line() {
            Some(line) => write!(text, ", in {} line {line}: {}", self.name, self.line(line)),
            None => write!(text, ", in {}", self.name),
        };
        let wrong_template = matches!(
            error.kind(),
            ErrorKind::SyntaxError
                | ErrorKind::BadEscape
                | ErrorKind::TemplateNotFound
                | ErrorKind::UnknownFilter
                | ErrorKind::UnknownFunction
                | ErrorKind::UnknownMethod
                | ErrorKind::UnknownTest
        );
        if wrong_template {
            Error::InvalidConfig(text)
        } else {
            Error::InvalidInput(text)
        }
    }

    /// Returns the message without the location. For a missing value, it lists the existing ones.
    pub(super) fn message(self, error: &minijinja::Error, variables: &Value) -> String {
        // The template is rendered again in debug mode, where errors name the undefined value.
        let mut environment = filters::environment();
        environment.set_debug(true);
        let debug_error = self.render_in_debug_mode(environment, variables);
        let error = debug_error.as_ref().unwrap_or(error);
        if error.kind() == ErrorKind::UndefinedError
            && let Some(name) = error.detail().and_then(undefined)
        {
            return format!("{} is undefined: {}", quoted(name), beside(name, variables));
        }
        let mut text = error.kind().to_string();
        if let Some(detail) = error.detail() {
            let _ = write!(text, ": {detail}");
        }
        if error.kind() == ErrorKind::UnknownFilter {
            text.push_str("; docs/transforms.md lists the filters");
        }
        text
    }

    fn render_in_debug_mode(
        self,
        mut environment: Environment<'_>,
        variables: &Value,
    ) -> Option<minijinja::Error> {
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment
            .render_named_str(self.name, self.source, variables)
            .err()
    }

    fn line(self, number: usize) -> String {
        let line = self.source.lines().nth(number - 1).unwrap_or("");
        line.trim().chars().take(SHOWN_CHARS).collect()
    }
}

/// Returns the expression in the engine's message about an undefined value.
fn undefined(detail: &str) -> Option<&str> {
    let (_, rest) = detail.split_once('`')?;
    let (name, rest) = rest.split_once('`')?;
    rest.starts_with(" is undefined").then_some(name)
}

/// Lists the existing names next to a missing one.
fn beside(name: &str, variables: &Value) -> String {
    let Some((parent, _)) = name.rsplit_once('.') else {
        return match keys_of(variables).as_slice() {
            [] => "there are no variables".to_owned(),
            [one] => format!("there is {one}"),
            [first @ .., last] => format!("there are {} and {last}", first.join(", ")),
        };
    };
    // A variable of a loop is known only inside of it.
    let value = filters::environment()
        .compile_expression(parent)
        .and_then(|expression| expression.eval(variables))
        .unwrap_or_default();
    if value.is_undefined() {
        return "there is no such value".to_owned();
    }
    let keys: Vec<String> = value
        .try_iter()
        .into_iter()
        .flatten()
        .filter_map(|key| key.as_str().map(str::to_owned))
        .collect();
    let there = names_there(keys.iter().map(String::as_str));
    format!("of {}, {there}", quoted(parent))
}

/// Returns the names of variables, in backticks.
pub(super) fn keys_of(variables: &Value) -> Vec<String> {
    let keys = variables.try_iter().into_iter().flatten();
    let mut keys: Vec<String> = keys.filter_map(|key| key.as_str().map(quoted)).collect();
    keys.sort();
    keys
}
