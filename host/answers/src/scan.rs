//! Finds the end of a JSON value in a text, in one pass and without recursion.
//!
//! This module only knows the grammar of RFC 8259. What a value means is for [`super::value`] to say.

/// The maximum number of lists and objects in each other. Other readers of JSON have the same limit.
pub(crate) const MAX_DEPTH: usize = 127;

/// A place where a text is not JSON, although a value began before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The offset of the first byte that does not belong to a value.
    pub(crate) at: usize,
    /// The number of brackets that are open there.
    pub(crate) open: usize,
    /// Whether the place is inside a string.
    pub(crate) in_string: bool,
}

/// Returns the end of the JSON value that begins at `start`, after white space.
pub(crate) fn value_end(text: &str, start: usize) -> Result<usize, Broken> {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: start,
        closers: Vec::new(),
    };
    scanner.value()?;
    Ok(scanner.at)
}

/// Returns the offset after the region that a broken value leaves open. Fragments in it are no answers of their own.
pub(crate) fn after_broken(text: &str, broken: Broken) -> usize {
    let Broken {
        mut at,
        mut open,
        mut in_string,
    } = broken;
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        if open == 0 {
            return at;
        }
        match byte {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => open += 1,
            b'}' | b']' if !in_string => open -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    /// The closing bracket of each open list and object.
    closers: Vec<u8>,
}

impl Scanner<'_> {
    fn value(&mut self) -> Result<(), Broken> {
        loop {
            self.skip_blanks();
            let is_complete = match self.peek() {
                Some(b'{') => self.open(b'}')?,
                Some(b'[') => self.open(b']')?,
                Some(b'"') => self.string().map(|()| true)?,
                Some(b'-' | b'0'..=b'9') => self.number().map(|()| true)?,
                Some(b't') => self.word(b"true").map(|()| true)?,
                Some(b'f') => self.word(b"false").map(|()| true)?,
                Some(b'n') => self.word(b"null").map(|()| true)?,
                _ => return Err(self.broken()),
            };
            if is_complete && self.close_values()? {
                return Ok(());
            }
        }
    }

    /// Enters a list or an object; `true`: it is empty and closed.
    fn open(&mut self, closer: u8) -> Result<bool, Broken> {
        if self.closers.len() == MAX_DEPTH {
            return Err(self.broken());
        }
        self.at += 1;
        self.closers.push(closer);
        self.skip_blanks();
        if self.peek() == Some(closer) {
            self.at += 1;
            self.closers.pop();
            return Ok(true);
        }
        if closer == b'}' {
            self.key()?;
        }
        Ok(false)
    }

    /// Continues after a value: closes what ends there. `true`: the outermost value is complete.
    fn close_values(&mut self) -> Result<bool, Broken> {
        loop {
            let Some(&closer) = self.closers.last() else {
                return Ok(true);
            };
            self.skip_blanks();
            match self.peek() {
                Some(byte) if byte == closer => {
                    self.at += 1;
                    self.closers.pop();
                }
                Some(b',') => {
                    self.at += 1;
                    if closer == b'}' {
                        self.skip_blanks();
                        self.key()?;
                    }
                    return Ok(false);
                }
                _ => return Err(self.broken()),
            }
        }
    }

    fn key(&mut self) -> Result<(), Broken> {
        if self.peek() != Some(b'"') {
            return Err(self.broken());
        }
        self.string()?;
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.broken());
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), Broken> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0x20..) => self.at += 1,
                Some(_) | None => return Err(self.broken_in_string()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Broken> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.broken_in_string());
                }
                self.at += 6;
                Ok(())
            }
            _ => Err(self.broken_in_string()),
        }
    }

    fn number(&mut self) -> Result<(), Broken> {
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Broken> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.broken());
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Broken> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.broken());
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn broken(&self) -> Broken {
        Broken {
            at: self.at,
            open: self.closers.len(),
            in_string: false,
        }
    }

    fn broken_in_string(&self) -> Broken {
        Broken {
            in_string: true,
            ..self.broken()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_the_grammar_says() {
        for (text, rest) in [
            (r#"{"a": [1, -2.5e+3, "}\"", null]} then"#, " then"),
            ("[]]", "]"),
            ("{ }x", "x"),
            ("12,", ","),
            ("0123", "123"),
            (r#""\u00e4\/" "#, " "),
            ("true\u{feff}", "\u{feff}"),
        ] {
            assert_eq!(
                value_end(text, 0).map(|end| &text[end..]),
                Ok(rest),
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_that_is_no_value_is_broken_where_it_stops_being_one() {
        for (text, at, open) in [
            ("{curly}", 1, 1),
            (r#"{"a": 1,}"#, 8, 1),
            (r#"{"a" 1}"#, 5, 1),
            (r#"{"a": {"b": [tru"#, 13, 3),
            (r#"["a"#, 3, 1),
            ("[1 2]", 3, 1),
            ("-", 1, 0),
            ("1.", 2, 0),
            ("1e", 2, 0),
            ("", 0, 0),
        ] {
            let broken = value_end(text, 0).unwrap_err();
            assert_eq!((broken.at, broken.open), (at, open), "{text}");
        }
        for text in ["\"a\nb\"", r#""\x""#, r#""\u12"#] {
            assert!(value_end(text, 0).unwrap_err().in_string, "{text}");
        }
    }

    #[test]
    fn the_depth_of_a_value_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(value_end(&nested(MAX_DEPTH), 0), Ok(2 * MAX_DEPTH));
        let broken = value_end(&nested(MAX_DEPTH + 1), 0).unwrap_err();
        assert_eq!(broken.open, MAX_DEPTH);
    }

    #[test]
    fn the_rest_of_a_broken_value_is_skipped_with_everything_in_it() {
        for (text, rest) in [
            (r#"{curly} {"a": 1}"#, r#" {"a": 1}"#),
            (r#"{x: "}", y: {"b": 1}} after"#, " after"),
            (r#"{"a": {"b": 1}, c} after"#, " after"),
            ("{\"a\": \"one\ntwo}\", \"b\": {}} after", " after"),
            (r#"[see: {"a": 1}"#, ""),
        ] {
            let broken = value_end(text, 0).unwrap_err();
            assert_eq!(&text[after_broken(text, broken)..], rest, "{text}");
        }
    }
}
