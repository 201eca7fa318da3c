//! Converts TOML text to a JSON value with positions.
//!
//! Values that JSON cannot represent are errors here, so that later code does not have to handle them.

use toml::de::{DeTable, DeValue};

use serde_json::{Map, Number, Value};

use super::error::{Finding, PipelineError, PipelineErrors};
use super::error_kind::PipelineErrorKind;
use super::position::{Lines, Position, Positions, child};
use synix_core::json;

/// The maximum depth of nested tables and lists.
const MAX_DEPTH: usize = 64;

/// A file as a JSON value. A value that could not be converted is null and has a finding.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) positions: Positions,
    pub(super) findings: Vec<Finding>,
}

/// Converts the text. On failure, returns all syntax errors.
pub(super) fn read(text: &str) -> Result<Document, PipelineErrors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if let Some(errors) = PipelineErrors::new(
        errors
            .iter()
            .map(|error| syntax_error(error, &lines))
            .collect(),
    ) {
        return Err(errors);
    }
    let mut reader = Reader {
        lines,
        positions: Positions::default(),
        findings: Vec::new(),
    };
    let value = reader.table(table.get_ref(), "", 0);
    Ok(Document {
        value,
        positions: reader.positions,
        findings: reader.findings,
    })
}

fn syntax_error(error: &toml::de::Error, lines: &Lines<'_>) -> PipelineError {
    let Position { line, column } = error
        .span()
        .map_or(Position::START, |span| lines.position(span.start));
    let kind = PipelineErrorKind::Syntax(error.message().to_owned());
    PipelineError {
        line,
        column,
        key: String::new(),
        kind,
        hint: None,
    }
}

struct Reader<'a> {
    lines: Lines<'a>,
    positions: Positions,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, pointer: &str, depth: usize) -> Value {
        let mut members = Map::new();
        for (key, value) in table {
            let pointer = child(pointer, key.get_ref());
            let position = self.lines.position(key.span().start);
            self.positions.insert(
                pointer.clone(),
                position,
                self.lines.position(value.span().start),
            );
            if key.get_ref().contains('\0') {
                self.findings
                    .push(Finding::at_key(&pointer, PipelineErrorKind::Nul));
            }
            members.insert(
                key.get_ref().to_string(),
                self.value(value.get_ref(), &pointer, depth + 1),
            );
        }
        Value::Object(members)
    }

    fn value(&mut self, value: &DeValue<'_>, pointer: &str, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            self.findings
                .push(Finding::at_key(pointer, PipelineErrorKind::TooDeep));
            return Value::Null;
        }
        let scalar = match value {
            DeValue::Table(table) => return self.table(table, pointer, depth),
            DeValue::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (number, item) in items.iter().enumerate() {
                    let pointer = child(pointer, &number.to_string());
                    let position = self.lines.position(item.span().start);
                    self.positions.insert(pointer.clone(), position, position);
                    list.push(self.value(item.get_ref(), &pointer, depth + 1));
                }
                return Value::Array(list);
            }
            DeValue::Boolean(boolean) => Ok(Value::Bool(*boolean)),
            DeValue::String(text) if text.contains('\0') => Err(PipelineErrorKind::Nul),
            DeValue::String(text) => Ok(Value::String(text.to_string())),
            DeValue::Datetime(_) => Err(PipelineErrorKind::NotJson("a date or time")),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(integer) => check_number(Number::from(integer)),
                    Err(_) => Err(PipelineErrorKind::BadValue(
                        "be between -2^53 and 2^53".to_owned(),
                    )),
                }
            }
            DeValue::Float(float) => match float.as_str().parse::<f64>() {
                Ok(float) => float_value(float),
                Err(_) => Err(PipelineErrorKind::NotJson("not a finite number")),
            },
        };
        scalar.unwrap_or_else(|kind| {
            self.findings.push(Finding::at_value(pointer, kind));
            Value::Null
        })
    }
}

fn check_number(number: Number) -> Result<Value, PipelineErrorKind> {
    let value = Value::Number(number);
    json::canonical(&value).map_err(PipelineErrorKind::Number)?;
    Ok(value)
}

/// JSON does not distinguish `2.0` from `2`, so a pipeline file does not either.
fn float_value(float: f64) -> Result<Value, PipelineErrorKind> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "an integer below 2^53 is converted exactly"
    )]
    if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 {
        return check_number(Number::from(float as i64));
    }
    Number::from_f64(float).map_or(
        Err(PipelineErrorKind::NotJson("not a finite number")),
        check_number,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn errors(text: &str) -> String {
        match read(text) {
            Ok(Document {
                positions,
                findings,
                ..
            }) => {
                let errors = findings
                    .into_iter()
                    .map(|found| found.locate(&positions))
                    .collect();
                PipelineErrors::new(errors)
                    .map(|errors| errors.to_string())
                    .unwrap_or_default()
            }
            Err(errors) => errors.to_string(),
        }
    }

    #[test]
    fn an_integer_may_have_a_decimal_point() {
        let document = read("a = [1.0, 0x10, 1_000, -0.0, 1e2, 0.5]").unwrap();
        assert_eq!(document.value, json!({"a": [1, 16, 1000, 0, 100, 0.5]}));
    }

    #[test]
    fn a_duplicate_key_is_an_error_at_its_second_occurrence() {
        assert_eq!(
            errors("a = 1\nb = 2\na = 3\n"),
            "3:1: not TOML: duplicate key"
        );
    }

    #[test]
    fn every_syntax_error_is_reported() {
        assert_eq!(errors("a = \nb = ]\n").lines().count(), 2);
    }

    #[test]
    fn a_date_is_an_error_at_its_location() {
        assert_eq!(
            errors("[x]\na = [1, 2026-01-02]\n"),
            "2:9: `x.a.1` is a date or time, which JSON does not support; write it in quotes"
        );
    }

    #[test]
    fn infinity_is_rejected() {
        for text in ["a = inf", "a = nan", "a = 1e400"] {
            assert_eq!(
                errors(text),
                "1:5: `a` is not a finite number, which JSON does not support; write it in quotes",
                "{text}"
            );
        }
    }

    #[test]
    fn a_number_that_a_double_would_round_is_rejected() {
        assert_eq!(
            errors("a = 9007199254740993"),
            "1:5: `a` cannot be used: the number 9007199254740993 does not fit into a double; write it as a string"
        );
        assert_eq!(
            errors("a = 99999999999999999999"),
            "1:5: `a` must be between -2^53 and 2^53"
        );
    }

    #[test]
    fn a_nul_character_is_rejected() {
        assert_eq!(
            errors("\u{feff}a = \"\\u0000\""),
            "1:5: `a` contains a NUL character"
        );
    }

    #[test]
    fn the_depth_of_nesting_is_limited() {
        let text = format!("a = {}1{}", "[".repeat(70), "]".repeat(70));
        assert!(errors(&text).contains("nested too deeply"));
    }
}
