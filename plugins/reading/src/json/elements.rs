//! The elements of an array, or values one after the other.

use std::io::BufRead;

use super::scanner::{Fault, MAX_VALUE_BYTES, Scanner};

/// An element, unparsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its bytes. They have the brackets of JSON; the rest is for a parser to check.
    pub bytes: &'a [u8],
    /// Its number, from 1.
    pub number: u64,
    /// Where it starts in the file.
    pub offset: u64,
}

/// Reads the elements of an array one by one. An odd element loses neither those before it nor those after it.
#[derive(Debug)]
pub struct Elements<R> {
    scanner: Scanner<R>,
    state: State,
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In an array; at the top more of them may follow.
    Array {
        is_top: bool,
    },
    /// Values that follow each other at the top.
    Values,
    /// One value that is not an array.
    Single,
    Ended,
}

impl<R: BufRead> Elements<R> {
    /// Reads the elements of a top array, of several of them in a row, or values one after the other.
    pub fn new(reader: R) -> Result<Self, Fault> {
        Self::at(reader, &[])
    }

    /// Reads the elements of the array at a JSON Pointer, whose parts [`pointer`](super::pointer) returns.
    ///
    /// A value there that is not an array is the one element.
    pub fn at(reader: R, parts: &[String]) -> Result<Self, Fault> {
        Self::with_limit(reader, parts, MAX_VALUE_BYTES)
    }

    /// Does the same, and holds no element that is longer than `limit`.
    pub fn with_limit(reader: R, parts: &[String], limit: usize) -> Result<Self, Fault> {
        let mut scanner = Scanner::new(reader).with_limit(limit);
        scanner.seek(parts)?;
        let is_top = parts.is_empty();
        let state = if scanner.enter(b'[')? {
            State::Array { is_top }
        } else if is_top {
            State::Values
        } else {
            State::Single
        };
        Ok(Self {
            scanner,
            state,
            number: 0,
        })
    }

    /// Returns whether the elements are those of an array.
    pub fn is_array(&self) -> bool {
        matches!(self.state, State::Array { .. })
    }

    /// Reads the next element. After an error that is not [passable](Fault::is_passable) there is none.
    #[expect(
        clippy::should_implement_trait,
        reason = "an element is lent, not given"
    )]
    pub fn next(&mut self) -> Result<Option<Element<'_>>, Fault> {
        let state = self.state;
        match self.advance() {
            Ok(true) => {}
            Ok(false) => {
                self.state = State::Ended;
                return Ok(None);
            }
            Err(fault) => {
                self.state = State::Ended;
                return Err(fault);
            }
        }
        self.number += 1;
        // An error that ends the walk must not be found again by the next call.
        self.state = State::Ended;
        let offset = self.scanner.offset();
        let next = if state == State::Single {
            State::Ended
        } else {
            state
        };
        match self.scanner.value() {
            Ok(bytes) => {
                self.state = next;
                Ok(Some(Element {
                    bytes,
                    number: self.number,
                    offset,
                }))
            }
            Err(fault) => {
                if fault.is_passable() {
                    self.state = next;
                }
                Err(fault)
            }
        }
    }

    /// Returns the number of the element that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Moves to the next element; false at the end.
    fn advance(&mut self) -> Result<bool, Fault> {
        match self.state {
            State::Ended => Ok(false),
            State::Single => Ok(true),
            State::Values => Ok(self.scanner.peek()?.is_some()),
            State::Array { is_top } => loop {
                if self.scanner.next_element()? {
                    return Ok(true);
                }
                if !is_top {
                    return Ok(false);
                }
                match self.scanner.peek()? {
                    None => return Ok(false),
                    Some(b'[') => {
                        self.scanner.enter(b'[')?;
                    }
                    Some(found) => {
                        return Err(Fault::Syntax {
                            offset: self.scanner.offset(),
                            found,
                            expected: "the end of the file",
                        });
                    }
                }
            },
        }
    }
}
