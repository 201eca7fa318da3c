//! What a file is: a mailbox, a message, or an archive of them.

use std::io::{self, Read as _};
use std::ops::Range;

use synix_plugin::Error;
use synix_plugin::reading::{self, File, Reason};
use synix_reading::archive::{Archive, UnpackLimit};

use crate::kind::{Kind, START_BYTES, recognise};
use crate::load::load;
use crate::writer::Writer;
use crate::{Config, mailbox, packed};

/// What packs a single file: gzip and zstd.
const PACKED: [&[u8]; 2] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd"];

/// What an archive of mail may unpack to. Text of letters packs to a fifth, and each byte of it is looked at several
/// times, so a bomb must end sooner than in other readers.
const UNPACKED: UnpackLimit = UnpackLimit {
    ratio: 25,
    allowance: 8 << 20,
};

/// What was read and left out.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) found: usize,
    pub(crate) written: usize,
    pub(crate) unreadable: usize,
    pub(crate) empty: usize,
}

impl Counts {
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

/// Reads the file.
pub(crate) fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
    let start = start_of(file).map_err(|error| lost(&error))?;
    let archive = Archive::open(file)?.with_limit(UNPACKED);
    if archive.is_zip() || PACKED.iter().any(|magic| start.starts_with(magic)) {
        let counts = packed::read(&file.name(), &archive, config)?;
        if counts.found == 0 {
            return Err(Error::InvalidInput(format!(
                "the archive has no mail in it: `mail` reads mailboxes (mbox) and messages (eml){}",
                archive.left_out()
            )));
        }
        return counts.check("the archive");
    }
    let (begin, kind) = recognise(&start);
    let size = file.size();
    match kind {
        Kind::Empty => {
            reading::skip("an empty file", Reason::Empty);
            Ok(())
        }
        Kind::Mailbox => mailbox::read(file, begin, config)?.check("the mailbox"),
        Kind::Message => single(file, begin..size, config),
        Kind::Counted(length) => {
            single(file, begin..begin.saturating_add(length).min(size), config)
        }
        Kind::Unknown => Err(unknown(&start)),
    }
}

/// Returns the bytes that the file is recognised by. The host may return fewer at once than it was asked for.
fn start_of(file: &File<'_>) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let reader = file.reader().into_inner();
    reader.take(START_BYTES.into()).read_to_end(&mut start)?;
    Ok(start)
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

/// A file that is one message.
fn single(file: &File<'_>, range: Range<u64>, config: &Config) -> Result<(), Error> {
    let raw = load(file, range, false).map_err(|error| lost(&error))?;
    let mut writer = Writer {
        file: &file.name(),
        config,
        counts: Counts::default(),
    };
    writer.alone(&raw).ok_or_else(|| {
        Error::InvalidInput(
            "the message cannot be read: it has no headers, or too many messages inside one another".to_owned(),
        )
    })
}

pub(crate) fn lost(error: &io::Error) -> Error {
    Error::InvalidInput(format!("the file cannot be read to its end: {error}"))
}
