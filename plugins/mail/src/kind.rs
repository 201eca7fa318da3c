//! What a file is, by its first lines.

use crate::mbox::is_header;

/// The bytes that a file is recognised by.
pub(crate) const START_BYTES: u32 = 4096;
/// Headers that messages have and notes with a colon in the first line have not.
const HEADERS: [&str; 16] = [
    "from",
    "to",
    "cc",
    "date",
    "subject",
    "message-id",
    "received",
    "return-path",
    "delivered-to",
    "mime-version",
    "content-type",
    "reply-to",
    "sender",
    "references",
    "in-reply-to",
    "x-gm-thrid",
];

/// What the first bytes say.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Kind {
    Empty,
    Mailbox,
    Message,
    /// A message of Apple Mail, with its length in the first line.
    Counted(u64),
    Unknown,
}

/// Returns where the mail begins, behind a byte order mark and empty lines, and what it is.
pub(crate) fn recognise(start: &[u8]) -> (u64, Kind) {
    let mark = if start.starts_with("\u{feff}".as_bytes()) {
        3
    } else {
        0
    };
    let text = start.get(mark..).unwrap_or_default();
    let blank = text
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let text = text.get(blank..).unwrap_or_default();
    let begin = mark + blank;
    let mut lines = text
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii_end);
    let first = lines.next().unwrap_or_default();
    let kind = if text.is_empty() && start.len() < START_BYTES as usize {
        Kind::Empty
    } else if text.starts_with(b"From ") {
        Kind::Mailbox
    } else if let Some(length) = counted(first) {
        let begin = begin + first.len() + 1;
        return (begin as u64, Kind::Counted(length));
    } else if is_message(first, lines) {
        Kind::Message
    } else {
        Kind::Unknown
    };
    (begin as u64, kind)
}

fn is_message<'a>(first: &'a [u8], lines: impl Iterator<Item = &'a [u8]>) -> bool {
    let known = |line: &[u8]| {
        let line = String::from_utf8_lossy(line).to_lowercase();
        line.split_once(':')
            .is_some_and(|(name, _)| HEADERS.contains(&name.trim()))
    };
    is_header(first) && (known(first) || lines.take_while(|line| !line.is_empty()).any(known))
}

fn counted(first: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(first).ok()?;
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| digits.parse().ok()).flatten()
}
