//! A parser for JSON as servers write it, which is not always valid JSON.
//!
//! It accepts documents that `serde_json` refuses if their meaning is clear;
//! `docs/replies.md` lists what it tolerates. It does not recurse, so no
//! document can overflow the stack: a container that is nested deeper than
//! [`MAX_DEPTH`] is skipped and becomes null.

mod string;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Number, Value};

/// The limit of `serde_json`. The members of a reply that synix reads are nested far less deeply.
const MAX_DEPTH: usize = 127;

/// Why a text cannot be read as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JsonError {
    /// The offset in bytes.
    pub(super) offset: usize,
    problem: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.problem, self.offset)
    }
}

/// Parses the value at the start of a text, and returns it with the offset of its end.
pub(super) fn parse_value(text: &[u8]) -> Result<(Value, usize), JsonError> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.parse_value()?;
    Ok((value, parser.at))
}

/// Returns the offset of the first byte from `at` on that is not white space.
pub(super) fn skip_space(text: &[u8], at: usize) -> usize {
    let mut parser = Parser { text, at };
    parser.skip_space();
    parser.at
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

/// A container whose end has not been read yet.
enum OpenContainer {
    List(Vec<Value>),
    /// An object with the name of its next member.
    Object(Map<String, Value>, String),
}

impl Parser<'_> {
    fn parse_value(&mut self) -> Result<Value, JsonError> {
        let mut open: Vec<OpenContainer> = Vec::new();
        loop {
            self.skip_space();
            let mut done = match self.peek() {
                None => return Err(self.error("the text ends")),
                Some(b'"') => Value::String(self.parse_string()?),
                Some(b'{' | b'[') if open.len() >= MAX_DEPTH => {
                    self.skip_container()?;
                    Value::Null
                }
                Some(b'{') => {
                    self.at += 1;
                    if self.skip_if(b'}') {
                        Value::Object(Map::new())
                    } else {
                        let name = self.parse_name()?;
                        open.push(OpenContainer::Object(Map::new(), name));
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    if self.skip_if(b']') {
                        Value::Array(Vec::new())
                    } else {
                        open.push(OpenContainer::List(Vec::new()));
                        continue;
                    }
                }
                Some(_) => self.parse_literal(open.is_empty())?,
            };
            loop {
                match open.pop() {
                    None => return Ok(done),
                    Some(OpenContainer::List(mut items)) => {
                        items.push(done);
                        if self.skip_if(b',') {
                            open.push(OpenContainer::List(items));
                            break;
                        }
                        self.expect(b']', "a comma or the end of a list is missing")?;
                        done = Value::Array(items);
                    }
                    Some(OpenContainer::Object(mut members, name)) => {
                        members.insert(name, done);
                        if self.skip_if(b',') {
                            let name = self.parse_name()?;
                            open.push(OpenContainer::Object(members, name));
                            break;
                        }
                        self.expect(b'}', "a comma or the end of an object is missing")?;
                        done = Value::Object(members);
                    }
                }
            }
        }
    }

    /// Parses the name of a member and the colon after it.
    fn parse_name(&mut self) -> Result<String, JsonError> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.error("the name of a member is missing"));
        }
        let name = self.parse_string()?;
        self.expect(b':', "a colon is missing")?;
        Ok(name)
    }

    /// Parses a literal or a number. Within a container, any other word such as `NaN` becomes null.
    fn parse_literal(&mut self, is_outermost: bool) -> Result<Value, JsonError> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
        {
            self.at += 1;
        }
        let word = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        let number = || word.parse::<Number>().ok().map(Value::Number);
        match word {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ => match number() {
                Some(number) => Ok(number),
                None if is_outermost || word.is_empty() => {
                    self.at = start;
                    Err(self.error("a value is missing"))
                }
                None => Ok(Value::Null),
            },
        }
    }

    /// Skips a container of any depth.
    fn skip_container(&mut self) -> Result<(), JsonError> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.parse_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
        Err(self.error("the text ends"))
    }

    fn skip_space(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(0xef) if self.text[self.at..].starts_with("\u{feff}".as_bytes()) => {
                    self.at += 3;
                }
                Some(_) | None => return,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips white space and then `byte`, if it is next; returns whether it was.
    fn skip_if(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), JsonError> {
        if self.skip_if(byte) {
            return Ok(());
        }
        let at_end = self.peek().is_none();
        Err(self.error(if at_end { "the text ends" } else { problem }))
    }

    fn error(&self, problem: &'static str) -> JsonError {
        JsonError {
            offset: self.at,
            problem,
        }
    }
}
