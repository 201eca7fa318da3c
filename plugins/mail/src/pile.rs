//! What a file is: a mailbox, a message, or an archive of them.

use std::io::Read as _;
use std::ops::Range;

use sha2::{Digest as _, Sha256};
use synix_plugin::Error;
use synix_plugin::reading::{self, File, Reason};
use synix_reading::archive::{Archive, Entry};

use crate::letter::Letter;
use crate::load::{Raw, load, load_entry};
use crate::mailbox::{self, Source};
use crate::mbox::is_header;
use crate::quotes::fold;
use crate::threads::{Name, anonymous};
use crate::write::{self, Message};
use crate::{Config, Quotes};

/// The bytes that a file is recognised by.
const START_BYTES: u32 = 4096;
/// What packs a single file: gzip and zstd.
const PACKED: [&[u8]; 2] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd"];
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

/// What was read and left out.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) found: usize,
    pub(crate) written: usize,
    pub(crate) unreadable: usize,
    pub(crate) empty: usize,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.found += other.found;
        self.written += other.written;
        self.unreadable += other.unreadable;
        self.empty += other.empty;
    }

    /// Mail that yields nothing is an error, unless the config left it out, or it is one message without a text.
    fn check(self, what: &str) -> Result<(), Error> {
        let lost = self.unreadable + self.empty;
        let nothing = self.written == 0 && lost == self.found;
        if !nothing || (self.found == 1 && self.unreadable == 0) {
            return Ok(());
        }
        Err(Error::InvalidInput(format!(
            "{what} yields nothing: {} messages found, {} unreadable, {} empty",
            self.found, self.unreadable, self.empty
        )))
    }
}

/// What the first bytes say.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Empty,
    Mailbox,
    Message,
    /// A message of Apple Mail, with its length in the first line.
    Counted(u64),
    Unknown,
}

/// Reads the file.
pub(crate) fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
    let start = file.read_at(0, START_BYTES);
    let archive = Archive::open(file)?;
    if archive.is_zip() {
        return zip(file, &archive, config);
    }
    if PACKED.iter().any(|magic| start.starts_with(magic)) {
        let mut counts = Counts::default();
        archive.for_each(|entry| {
            if !read_entry(file, entry, config, &mut counts)? {
                return Err(unknown(b"packed bytes"));
            }
            Ok(())
        })?;
        return counts.check("the file");
    }
    let (begin, kind) = recognise(&start);
    let size = file.size();
    match kind {
        Kind::Empty => {
            reading::skip("an empty file", Reason::Empty);
            Ok(())
        }
        Kind::Mailbox => {
            mailbox::read(&file.name(), &Source::Whole(file, begin), config)?.check("the mailbox")
        }
        Kind::Message => single(file, begin..size, config),
        Kind::Counted(length) => {
            single(file, begin..begin.saturating_add(length).min(size), config)
        }
        Kind::Unknown => Err(unknown(&start)),
    }
}

fn unknown(start: &[u8]) -> Error {
    let first = start
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let shown: String = String::from_utf8_lossy(first).chars().take(60).collect();
    Error::InvalidInput(format!(
        "this is no mail: the file begins with {shown:?}; `mail` reads mailboxes (mbox), whose first line begins with \
         `From `, messages (eml), whose first lines are headers such as `Subject: …`, and archives of both"
    ))
}

/// Returns where the mail begins, behind a byte order mark and empty lines, and what it is.
fn recognise(start: &[u8]) -> (u64, Kind) {
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

/// An archive: each mailbox and message in it.
fn zip(file: &File<'_>, archive: &Archive<'_>, config: &Config) -> Result<(), Error> {
    let mut counts = Counts::default();
    archive.for_each(|entry| {
        if !read_entry(file, entry, config, &mut counts)? {
            reading::at(entry.inside());
            reading::skip(entry.inside(), Reason::Unsupported);
        }
        Ok(())
    })?;
    if counts.found == 0 {
        return Err(Error::InvalidInput(
            "the archive has no mail in it: `mail` reads mailboxes (mbox) and messages (eml)"
                .to_owned(),
        ));
    }
    counts.check("the archive")
}

/// Reads an entry, and returns whether it is mail.
fn read_entry(
    file: &File<'_>,
    entry: &Entry<'_>,
    config: &Config,
    counts: &mut Counts,
) -> Result<bool, Error> {
    let Ok(bytes) = entry.open() else {
        return Ok(false);
    };
    let mut start = Vec::new();
    // What is damaged behind its first bytes is reported when it is read.
    let _ = bytes.take(START_BYTES.into()).read_to_end(&mut start);
    let (begin, kind) = recognise(&start);
    match kind {
        Kind::Mailbox => counts.add(mailbox::read(
            &file.name(),
            &Source::Entry(entry, begin),
            config,
        )?),
        Kind::Message | Kind::Counted(_) => {
            reading::at(&entry.place(""));
            counts.found += 1;
            let length = if let Kind::Counted(length) = kind {
                length
            } else {
                u64::MAX
            };
            match load_entry(entry, begin, length)
                .ok()
                .and_then(|raw| alone(&raw, config))
            {
                Some(Alone::Message(message)) => {
                    counts.written += 1;
                    reading::emit(write::message(&file.name(), &message, config));
                }
                Some(Alone::Empty) => counts.empty += 1,
                Some(Alone::Excluded) => {}
                None => {
                    counts.unreadable += 1;
                    reading::skip(entry.path(), Reason::Unreadable);
                }
            }
        }
        Kind::Empty | Kind::Unknown => return Ok(false),
    }
    Ok(true)
}

/// A file that is one message.
fn single(file: &File<'_>, range: Range<u64>, config: &Config) -> Result<(), Error> {
    let raw = load(file, range, false).map_err(|error| lost(&error))?;
    match alone(&raw, config) {
        Some(Alone::Message(message)) => {
            reading::emit(write::message(&file.name(), &message, config))
        }
        Some(Alone::Empty | Alone::Excluded) => {}
        None => {
            return Err(Error::InvalidInput(
                "the message cannot be read: it has no headers, or too many messages inside one another".to_owned(),
            ));
        }
    }
    Ok(())
}

/// What a file that is one message comes to.
enum Alone {
    Message(Box<Message>),
    Empty,
    Excluded,
}

fn alone(raw: &Raw, config: &Config) -> Option<Alone> {
    let name = anonymous(Sha256::new().chain_update(&raw.bytes));
    let message = parse(raw, None, &name, "the message", config)?;
    if excluded(&message.letter, config) {
        reading::skip(message.title(), Reason::Filtered);
        return Some(Alone::Excluded);
    }
    Some(with_text(message).map_or(Alone::Empty, |message| Alone::Message(Box::new(message))))
}

/// Takes a message apart; `place` names it for people.
pub(crate) fn parse(
    raw: &Raw,
    delivered: Option<i64>,
    anonymous: &Name,
    place: &str,
    config: &Config,
) -> Option<Message> {
    if raw.nested {
        return None;
    }
    if raw.cut {
        reading::skip(
            &format!("the rest of {place}, which is too long"),
            Reason::Unsupported,
        );
    }
    let mut letter = Letter::from_message(&raw.bytes)?;
    letter.date = letter.date.or(delivered);
    if config.quotes == Quotes::Fold {
        letter.text = fold(&letter.text);
    }
    let name = match &letter.id {
        Some(id) => id.clone(),
        None => anonymous
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    };
    Some(Message { name, letter })
}

/// Returns the message if it says anything, else reports why not.
pub(crate) fn with_text(message: Message) -> Option<Message> {
    let letter = &message.letter;
    if !letter.text.is_empty() || (!letter.attachments.is_empty() && !letter.encrypted) {
        return Some(message);
    }
    let reason = if letter.encrypted {
        Reason::NoText
    } else {
        Reason::Empty
    };
    reading::skip(message.title(), reason);
    None
}

/// Whether the config leaves the message out.
pub(crate) fn excluded(letter: &Letter, config: &Config) -> bool {
    config
        .exclude_labels
        .iter()
        .any(|label| letter.gmail_labels.contains(label))
}

pub(crate) fn lost(error: &std::io::Error) -> Error {
    Error::InvalidInput(format!("the file cannot be read to its end: {error}"))
}
