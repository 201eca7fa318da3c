//! Reads TOML text as a JSON value with positions.
//!
//! What has no form in JSON is an error here, so that whoever looks at the
//! value later need not think of it.

use toml::de::{DeTable, DeValue};

use serde_json::{Map, Number, Value};

use super::error::{Finding, PipelineError, PipelineErrorKind, PipelineErrors};
use super::position::{Lines, Position, Positions, below};
use synix_core::json;

/// The deepest that tables and lists may be nested.
const MAX_DEPTH: usize = 64;

/// A file as a value. What could not be kept is null and has a finding.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) positions: Positions,
    pub(super) findings: Vec<Finding>,
}

/// Reads the text; fails with all that is not TOML.
pub(super) fn read(text: &str) -> Result<Document, PipelineErrors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if let Some(errors) =
        PipelineErrors::new(errors.iter().map(|error| syntax(error, &lines)).collect())
    {
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

fn syntax(error: &toml::de::Error, lines: &Lines<'_>) -> PipelineError {
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
            let pointer = below(pointer, key.get_ref());
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
                    let pointer = below(pointer, &number.to_string());
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
                    Ok(integer) => checked(Number::from(integer)),
                    Err(_) => Err(PipelineErrorKind::BadValue(
                        "lie between -2^53 and 2^53".to_owned(),
                    )),
                }
            }
            DeValue::Float(float) => match float.as_str().parse::<f64>() {
                Ok(float) => number(float),
                Err(_) => Err(PipelineErrorKind::NotJson("no finite number")),
            },
        };
        scalar.unwrap_or_else(|kind| {
            self.findings.push(Finding::at_value(pointer, kind));
            Value::Null
        })
    }
}

fn checked(number: Number) -> Result<Value, PipelineErrorKind> {
    let value = Value::Number(number);
    json::canonical(&value).map_err(PipelineErrorKind::Number)?;
    Ok(value)
}

/// JSON does not tell `2.0` from `2`, so neither does the pipeline file.
fn number(float: f64) -> Result<Value, PipelineErrorKind> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a whole number below 2^53 is kept as it is"
    )]
    if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 {
        return checked(Number::from(float as i64));
    }
    Number::from_f64(float).map_or(Err(PipelineErrorKind::NotJson("no finite number")), checked)
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
                    .map(|found| found.place(&positions))
                    .collect();
                PipelineErrors::new(errors)
                    .map(|errors| errors.to_string())
                    .unwrap_or_default()
            }
            Err(errors) => errors.to_string(),
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let document = read("a = [1.0, 0x10, 1_000, -0.0, 1e2, 0.5]").unwrap();
        assert_eq!(document.value, json!({"a": [1, 16, 1000, 0, 100, 0.5]}));
    }

    #[test]
    fn a_key_written_twice_is_an_error_at_the_second() {
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
    fn a_date_is_refused_where_it_stands() {
        assert_eq!(
            errors("[x]\na = [1, 2026-01-02]\n"),
            "2:9: `x.a.1` is a date or time, which JSON does not have; write it in quotes"
        );
    }

    #[test]
    fn infinity_is_refused() {
        for text in ["a = inf", "a = nan", "a = 1e400"] {
            assert_eq!(
                errors(text),
                "1:5: `a` is no finite number, which JSON does not have; write it in quotes",
                "{text}"
            );
        }
    }

    #[test]
    fn a_number_that_a_double_would_round_is_refused() {
        assert_eq!(
            errors("a = 9007199254740993"),
            "1:5: `a` cannot be used: the number 9007199254740993 does not fit a double; write it as a string"
        );
        assert_eq!(
            errors("a = 99999999999999999999"),
            "1:5: `a` must lie between -2^53 and 2^53"
        );
    }

    #[test]
    fn a_nul_character_is_refused() {
        assert_eq!(
            errors("\u{feff}a = \"\\u0000\""),
            "1:5: `a` holds a NUL character"
        );
    }

    #[test]
    fn nesting_has_an_end() {
        let text = format!("a = {}1{}", "[".repeat(70), "]".repeat(70));
        assert!(errors(&text).contains("nested too deep"));
    }
}
