//! Finds out what divides the fields of a CSV file.

use crate::csv::Splitter;

/// What divides fields, the most usual first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records that are looked at.
const SAMPLE: usize = 20;

/// How a file divides its fields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// Whether the first line only says the delimiter, as Excel writes it: `sep=;`.
    pub(crate) has_separator_line: bool,
}

/// Returns the delimiter that divides the first records into the same number of fields.
pub(crate) fn of(head: &[u8]) -> Dialect {
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or(head);
    let first = first.strip_suffix(b"\r").unwrap_or(first);
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] = *first {
        return Dialect {
            delimiter,
            has_separator_line: true,
        };
    }
    let best = DELIMITERS
        .iter()
        .rev()
        .max_by_key(|&&delimiter| evenness(head, delimiter));
    Dialect {
        delimiter: best.copied().unwrap_or(b','),
        has_separator_line: false,
    }
}

/// Returns for how many in a thousand of the first records the header has as many fields, and how many these are.
fn evenness(head: &[u8], delimiter: u8) -> (usize, usize) {
    let mut splitter = Splitter::new(delimiter);
    let mut counts = Vec::new();
    let mut rest = head;
    while counts.len() < SAMPLE && !rest.is_empty() {
        splitter.restart();
        // A record that the head cuts is not counted, unless it is the only one.
        let length = match splitter.feed(rest) {
            Some(length) => length,
            None if counts.is_empty() => {
                splitter.end_anywhere();
                rest.len()
            }
            None => break,
        };
        if !splitter.fields.is_blank() {
            counts.push(splitter.fields.len());
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    let width = counts.first().copied().unwrap_or(0);
    if width < 2 {
        return (0, 0);
    }
    let even = counts.iter().filter(|&&count| count == width).count();
    (1000 * even / counts.len(), width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_found() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n", b';'),
            ("id;text\n1;one, two, three\n2;four\n", b';'),
            ("a\tb\n1,2\t3\n", b'\t'),
            ("a|b|c\n1|2|3\n", b'|'),
            ("\"a;b\",c\n\"1;2;3\",x\n", b','),
            ("text\nno, delimiter; here\n", b','),
            ("a;b", b';'),
            ("", b','),
            ("a;\"b\nc,d", b';'),
        ] {
            assert_eq!(of(text.as_bytes()).delimiter, delimiter, "{text:?}");
        }
        let excel = of(b"sep=;\r\na,b;c\r\n");
        assert_eq!((excel.delimiter, excel.has_separator_line), (b';', true));
    }
}
