//! The bytes of one message, without what no reader of text needs.
//!
//! Most of a mailbox are attachments. Their lines are left out while a message is read, so that a message with 40 MB of
//! pictures takes the memory of its text; their headers stay, because they have the names.

use std::io::{self, Read};
use std::ops::Range;

use synix_plugin::reading::File;

use crate::lines::{Line, Lines};
use crate::mbox::unquoted;

/// The most of a message that is kept, after its attachments.
const MESSAGE_BYTES: usize = if cfg!(test) { 256 << 10 } else { 16 << 20 };
/// Messages inside a message inside a message: the parser takes one apart in the next.
const NESTED_MESSAGES: usize = 64;
/// The most parts of a message. The parser keeps each one, however short it is.
const PARTS: usize = 10_000;
/// The most of a part's headers that is looked at for its type.
const HEADER_BYTES: usize = 64 * 1024;

/// A message as it is parsed.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Raw {
    pub(crate) bytes: Vec<u8>,
    /// Whether there is more of it than is kept.
    pub(crate) cut: bool,
    /// Whether so many messages are nested in it that it is an attack.
    pub(crate) nested: bool,
}

/// A part of a file as [`Read`].
struct Part<'a> {
    file: &'a File<'a>,
    range: Range<u64>,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.range.end.saturating_sub(self.range.start);
        let length = u32::try_from((buffer.len() as u64).min(left)).unwrap_or(u32::MAX);
        if length == 0 {
            return Ok(0);
        }
        let bytes = self.file.read_at(self.range.start, length);
        let target = buffer
            .get_mut(..bytes.len())
            .ok_or_else(|| io::Error::other("the host returned more bytes than were asked for"))?;
        target.copy_from_slice(&bytes);
        self.range.start += bytes.len() as u64;
        Ok(bytes.len())
    }
}

/// Reads the message at `range`; the lines of an mbox file are unquoted.
pub(crate) fn load(file: &File<'_>, range: Range<u64>, mbox: bool) -> io::Result<Raw> {
    let size = range.end.saturating_sub(range.start);
    let offset = range.start;
    let mut lines = Lines::with_size(Part { file, range }, offset, size);
    let mut sieve = Sieve::default();
    while let Some(line) = lines.next()? {
        sieve.add(line, mbox);
        if sieve.raw.cut {
            break;
        }
    }
    Ok(sieve.raw)
}

/// Takes the lines of a message, and leaves out those of attachments.
#[derive(Default)]
pub(crate) struct Sieve {
    pub(crate) raw: Raw,
    state: State,
    headers: Vec<u8>,
    messages: usize,
    parts: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Headers,
    Text,
    /// In the lines of an attachment.
    Attachment,
}

impl Sieve {
    /// Takes a line, which is unquoted if it is of a mailbox.
    pub(crate) fn add(&mut self, line: Line<'_>, mbox: bool) {
        if self.raw.cut {
            return;
        }
        let text = line.text();
        if line.begins && self.state != State::Headers && text.starts_with(b"--") {
            // The end of a part, perhaps; what is no header after it is text again.
            self.state = State::Headers;
            self.headers.clear();
            self.parts += 1;
            self.raw.cut |= self.parts > PARTS;
            return self.keep(text);
        }
        match self.state {
            State::Attachment if is_base64(text) => return,
            State::Attachment => self.state = State::Text,
            State::Headers if line.begins && text.is_empty() => {
                self.state = self.kind_of_part();
                self.headers.clear();
            }
            State::Headers if self.headers.len() < HEADER_BYTES => {
                self.headers.extend_from_slice(text);
                self.headers.push(b'\n');
            }
            State::Headers | State::Text => {}
        }
        self.keep(if mbox && line.begins {
            unquoted(text)
        } else {
            text
        });
        if !line.bytes.ends_with(b"\n") {
            // A piece of a long line: the line goes on.
            self.raw.bytes.pop();
        }
    }

    fn keep(&mut self, text: &[u8]) {
        if self.raw.cut {
            return;
        }
        if self.raw.bytes.len() + text.len() > MESSAGE_BYTES {
            self.raw.cut = true;
            return;
        }
        self.raw.bytes.extend_from_slice(text);
        self.raw.bytes.push(b'\n');
    }

    /// Returns what follows the headers of a part, by its type and encoding.
    fn kind_of_part(&mut self) -> State {
        let headers = String::from_utf8_lossy(&self.headers).to_ascii_lowercase();
        let headers = headers.replace("\n ", " ").replace("\n\t", " ");
        let value = |name: &str| {
            let mut lines = headers.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.map(|value| value.trim_start().to_owned())
        };
        let kind = value("content-type").unwrap_or_default();
        if kind.starts_with("message/") {
            self.messages += 1;
            self.raw.nested |= self.messages > NESTED_MESSAGES;
            return State::Headers;
        }
        let base64 =
            value("content-transfer-encoding").is_some_and(|how| how.starts_with("base64"));
        let text = kind.is_empty() || kind.starts_with("text/") || kind.starts_with("multipart/");
        if base64 && !text {
            State::Attachment
        } else {
            State::Text
        }
    }
}

fn is_base64(line: &[u8]) -> bool {
    line.iter().all(|&byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b' ' | b'\t')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sieve(text: &str) -> Raw {
        let mut lines = Lines::new(text.as_bytes(), 0);
        let mut sieve = Sieve::default();
        while let Some(line) = lines.next().unwrap() {
            sieve.add(line, true);
        }
        sieve.raw
    }

    fn text(text: &str) -> String {
        String::from_utf8(sieve(text).bytes).unwrap()
    }

    #[test]
    fn the_lines_of_an_attachment_are_left_out_and_its_headers_stay() {
        let message = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\
            Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGFsbG8=\n--b\n\
            Content-Type: image/png;\n name=a.png\nCONTENT-TRANSFER-ENCODING: Base64\n\nAAAA\nBBBB\n\n--b--\nend\n";
        assert_eq!(text(message), message.replace("AAAA\nBBBB\n\n", ""));
    }

    #[test]
    fn text_about_an_attachment_is_text() {
        let message = "Subject: a\n\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n\
            AAAA\nThis is not base64, is it?\nAAAA\n";
        assert_eq!(text(message), message.replacen("AAAA\n", "", 1));
    }

    #[test]
    fn an_attachment_of_any_size_takes_no_memory() {
        let mut message =
            "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n".to_owned();
        for _ in 0..10_000 {
            message += &("A".repeat(76) + "\r\n");
        }
        assert!(sieve(&message).bytes.len() < 100);
    }

    #[test]
    fn a_line_longer_than_the_buffer_stays_one_line() {
        let message = format!("Subject: a\n\n{}\n", "word ".repeat(50_000));
        assert_eq!(text(&message), message);
    }

    #[test]
    fn more_text_than_fits_is_cut() {
        let raw = sieve(&format!(
            "Subject: a\n\n{}",
            "words and words\n".repeat(1 << 15)
        ));
        assert!(raw.cut && raw.bytes.len() <= MESSAGE_BYTES);
    }

    #[test]
    fn parts_without_end_are_cut() {
        let parts = |count: usize| "Subject: a\n\n".to_owned() + &"--b\n\nx\n".repeat(count);
        assert!(!sieve(&parts(PARTS)).cut);
        let raw = sieve(&parts(PARTS + 1));
        assert!(raw.cut && raw.bytes.ends_with(b"--b\n\nx\n"));
    }

    #[test]
    fn messages_nested_without_end_are_an_attack() {
        assert!(sieve(&"Content-Type: message/rfc822\n\n".repeat(100)).nested);
        assert!(!sieve(&"Content-Type: message/rfc822\n\n".repeat(10)).nested);
    }

    #[test]
    fn lines_are_unquoted_and_line_ends_are_one_byte() {
        assert_eq!(
            text("Subject: a\r\n\r\n>From b\r\n"),
            "Subject: a\n\nFrom b\n"
        );
    }
}
