//! Changes to valid documents, drawn by proptest, for the tests of what reads them.

use proptest::prelude::*;

/// One change; positions are taken modulo the document's length.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Puts a byte in place of another.
    Set(usize, u8),
    /// Takes bytes out.
    Cut(usize, usize),
    /// Puts in a copy of a part.
    Copy(usize, usize, usize),
    /// Puts in something that such documents are made of.
    Insert(usize, &'static str),
    /// Takes everything from here on away.
    Truncate(usize),
}

const PIECES: [&str; 14] = [
    "\"",
    "{",
    "[",
    "]}",
    ":",
    ",",
    "null",
    "-1e999",
    "18446744073709551616",
    "\\ud800",
    "\n",
    "\0",
    "\u{1f600}",
    "[[[[[[[[",
];

/// A few changes.
pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<usize>(), 1_usize..40).prop_map(|(at, length)| Edit::Cut(at, length)),
        (any::<usize>(), 1_usize..40, any::<usize>())
            .prop_map(|(from, length, at)| Edit::Copy(from, length, at)),
        (any::<usize>(), proptest::sample::select(&PIECES[..]))
            .prop_map(|(at, piece)| Edit::Insert(at, piece)),
        any::<usize>().prop_map(Edit::Truncate),
    ];
    proptest::collection::vec(edit, 1..5)
}

/// Makes the changes one after the other.
pub fn changed(document: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = document.to_vec();
    for edit in edits {
        let length = bytes.len();
        let place = |at: usize| at.checked_rem(length).unwrap_or(0);
        match *edit {
            Edit::Set(at, byte) => {
                if let Some(old) = bytes.get_mut(place(at)) {
                    *old = byte;
                }
            }
            Edit::Cut(at, count) => {
                let from = place(at);
                bytes.drain(from..length.min(from + count));
            }
            Edit::Copy(from, count, at) => {
                let from = place(from);
                let part = bytes[from..length.min(from + count)].to_vec();
                let at = place(at);
                bytes.splice(at..at, part);
            }
            Edit::Insert(at, piece) => {
                let at = place(at);
                bytes.splice(at..at, piece.bytes());
            }
            Edit::Truncate(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}
