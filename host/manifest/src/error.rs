//! Errors in a pipeline file, with their locations.

use std::fmt;

use super::error_kind::PipelineErrorKind;
use super::overrides::option_of;
use super::position::{KeyOrValue, Position, Positions, dotted};

/// The maximum number of errors that are shown. After these are fixed, the others appear.
const MAX_SHOWN: usize = 100;

/// All errors in a pipeline file, in the order of the file; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineErrors(Vec<PipelineError>);

impl PipelineErrors {
    /// Sorts the errors by position; returns `None` if there are none.
    pub fn new(mut errors: Vec<PipelineError>) -> Option<Self> {
        errors.sort_by_key(PipelineError::position);
        errors.dedup();
        (!errors.is_empty()).then_some(Self(errors))
    }

    /// Returns the errors in the order of the file.
    pub fn as_slice(&self) -> &[PipelineError] {
        &self.0
    }

    /// Displays one error per line, prefixed with the name of the file.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            write_lines(f, &self.0, |error, f| write!(f, "{}", error.in_file(file)))
        })
    }
}

impl fmt::Display for PipelineErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.0, fmt::Display::fmt)
    }
}

impl std::error::Error for PipelineErrors {}

fn write_lines(
    f: &mut fmt::Formatter<'_>,
    errors: &[PipelineError],
    write: impl Fn(&PipelineError, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (number, error) in errors.iter().take(MAX_SHOWN).enumerate() {
        if number > 0 {
            f.write_str("\n")?;
        }
        write(error, f)?;
    }
    match errors.len().saturating_sub(MAX_SHOWN) {
        0 => Ok(()),
        more => write!(f, "\nand {more} more like these"),
    }
}

/// An error in a pipeline file.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The key, as in `layers.x.model`; empty for the whole file.
    pub key: String,
    /// The problem.
    pub kind: PipelineErrorKind,
    /// A suggestion.
    pub hint: Option<String>,
}

impl PipelineError {
    /// Returns the location in the file.
    pub fn position(&self) -> Position {
        Position {
            line: self.line,
            column: self.column,
        }
    }

    /// Displays the error after the name of the file: `synix.toml:12:1: unknown key …`.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| write!(f, "{file}:{self}"))
    }
}

impl fmt::Display for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.position())?;
        if self.kind.is_about_a_value() {
            write!(f, "`{}` ", self.key)?;
        }
        write!(f, "{}", self.kind)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PipelineError {}

/// An error at a JSON pointer, which has no line and column yet.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) pointer: String,
    part: KeyOrValue,
    pub(super) kind: PipelineErrorKind,
    hint: Option<String>,
}

impl Finding {
    pub(super) fn at_key(pointer: impl Into<String>, kind: PipelineErrorKind) -> Self {
        Self {
            pointer: pointer.into(),
            part: KeyOrValue::Key,
            kind,
            hint: None,
        }
    }

    pub(super) fn at_value(pointer: impl Into<String>, kind: PipelineErrorKind) -> Self {
        Self {
            part: KeyOrValue::Value,
            ..Self::at_key(pointer, kind)
        }
    }

    pub(super) fn hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// Looks up the location.
    pub(super) fn locate(self, positions: &Positions) -> PipelineError {
        let Position { line, column } = positions.find(&self.pointer, self.part);
        let option = positions.changed(&self.pointer).map(option_of);
        let hint = match (self.hint, option) {
            (Some(hint), Some(option)) => Some(format!("{option}; {hint}")),
            (hint, option) => hint.or(option),
        };
        PipelineError {
            line,
            column,
            key: dotted(&self.pointer),
            kind: self.kind,
            hint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_shown_errors_is_limited() {
        let errors = (1..=1000).map(|line| PipelineError {
            line,
            column: 1,
            key: "k".to_owned(),
            kind: PipelineErrorKind::UnknownKey {
                key: "k".to_owned(),
                table: String::new(),
            },
            hint: None,
        });
        let shown = PipelineErrors::new(errors.collect()).unwrap().to_string();
        assert_eq!(shown.lines().count(), 101);
        assert!(shown.ends_with("\nand 900 more like these"), "{shown}");
    }

    #[test]
    fn an_error_has_file_line_column_and_hint() {
        let error = PipelineError {
            line: 12,
            column: 1,
            key: "layers.x.modle".to_owned(),
            kind: PipelineErrorKind::UnknownKey {
                key: "modle".to_owned(),
                table: "layers.x".to_owned(),
            },
            hint: Some("did you mean `model`?".to_owned()),
        };
        assert_eq!(
            error.in_file("synix.toml").to_string(),
            "synix.toml:12:1: unknown key `modle` in [layers.x] (did you mean `model`?)"
        );
    }
}
