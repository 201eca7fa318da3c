//! Where a JSON value ends, found chunk by chunk without parsing it.
//!
//! A bracket that closes the wrong one does not confuse the values after it: it closes the nearest one of its kind. The
//! value itself is then refused by who parses it.

use memchr::memchr2;

/// Levels whose kind of bracket is known; deeper ones are counted alone. Parsers refuse 128 levels.
const KNOWN_LEVELS: usize = 1024;

/// How far a value is scanned.
#[derive(Debug)]
pub(super) struct Span {
    state: State,
    depth: usize,
    /// For each level whether it is an object.
    objects: [u64; KNOWN_LEVELS / 64],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Scalar,
    Between,
    Text,
    Escape,
}

/// What a chunk had of the value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fed {
    pub(super) bytes: usize,
    pub(super) is_over: bool,
}

impl Span {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Start,
            depth: 0,
            objects: [0; KNOWN_LEVELS / 64],
        }
    }

    /// Returns whether a value that ends with the file is whole: a number has no end of its own.
    pub(super) fn may_end(&self) -> bool {
        self.state == State::Scalar
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) -> Fed {
        let mut at = 0;
        while let Some(&byte) = chunk.get(at) {
            match self.state {
                State::Escape => {
                    self.state = State::Text;
                    at += 1;
                }
                State::Text => {
                    let Some(found) = memchr2(b'"', b'\\', &chunk[at..]) else {
                        break;
                    };
                    at += found + 1;
                    if chunk[at - 1] == b'\\' {
                        self.state = State::Escape;
                    } else if self.depth == 0 {
                        return Fed {
                            bytes: at,
                            is_over: true,
                        };
                    } else {
                        self.state = State::Between;
                    }
                }
                State::Start => {
                    match byte {
                        b'"' => self.state = State::Text,
                        b'{' | b'[' => self.open(byte),
                        _ => self.state = State::Scalar,
                    }
                    at += 1;
                }
                State::Scalar => {
                    let rest = &chunk[at..];
                    match rest.iter().position(|&byte| ends_scalar(byte)) {
                        Some(end) => {
                            return Fed {
                                bytes: at + end,
                                is_over: true,
                            };
                        }
                        None => break,
                    }
                }
                State::Between => {
                    let rest = &chunk[at..];
                    let Some(found) = rest.iter().position(|&byte| STRUCTURE[usize::from(byte)])
                    else {
                        break;
                    };
                    at += found;
                    match chunk[at] {
                        b'"' => self.state = State::Text,
                        open @ (b'{' | b'[') => self.open(open),
                        close => {
                            if !self.close(close) {
                                // It closes what the value is in.
                                return Fed {
                                    bytes: at,
                                    is_over: true,
                                };
                            }
                            if self.depth == 0 {
                                return Fed {
                                    bytes: at + 1,
                                    is_over: true,
                                };
                            }
                        }
                    }
                    at += 1;
                }
            }
        }
        Fed {
            bytes: chunk.len(),
            is_over: false,
        }
    }

    fn open(&mut self, bracket: u8) {
        self.state = State::Between;
        if let Some(word) = self.objects.get_mut(self.depth / 64) {
            let bit = 1 << (self.depth % 64);
            if bracket == b'{' {
                *word |= bit;
            } else {
                *word &= !bit;
            }
        }
        self.depth += 1;
    }

    /// Closes the nearest bracket of its kind; returns false if there is none.
    fn close(&mut self, bracket: u8) -> bool {
        let is_object = bracket == b'}';
        let mut level = self.depth;
        while level > 0 {
            level -= 1;
            let kind = self
                .objects
                .get(level / 64)
                .map(|word| word >> (level % 64) & 1 == 1);
            if kind.is_none_or(|kind| kind == is_object) {
                self.depth = level;
                return true;
            }
        }
        false
    }
}

const fn ends_scalar(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}' | b'[' | b'{' | b'"'
    )
}

static STRUCTURE: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};
