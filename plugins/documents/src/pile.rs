//! What a file is: a document, or an archive of documents.

use std::io::Read as _;

use synix_plugin::Error;
use synix_plugin::reading::{self, File, Reason};
use synix_reading::archive::{Archive, Entry};

use crate::document::{Document, Place, output};
use crate::kind::{Kind, recognise};
use crate::parts::Parts;
use crate::{Config, pdf, text};

/// The bytes that a document is recognised by.
const START_BYTES: u64 = 4096;
/// The largest page or text; its tree takes some ten times of it.
const TEXT_BYTES: u64 = 16 << 20;
/// The largest chapter of a book.
pub(crate) const CHAPTER_BYTES: u64 = TEXT_BYTES;
/// The largest PDF, which is read as a whole.
const PDF_BYTES: u64 = 96 << 20;
const ACCEPTED: &str = "HTML, PDF, DOCX, EPUB, Markdown and text, each also in a zip";

/// What is left of a document that has no text.
pub(crate) enum Found {
    Document(Document),
    /// It has no text, for this reason.
    Nothing(Reason),
    /// It is an archive that is cut off, which was reported when it was opened.
    CutOff,
}

/// Reads the file.
pub(crate) fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
    let archive = Archive::open(file)?;
    let name = file.name();
    let whole = Place {
        file: &name,
        path: &name,
        inside: "",
    };
    if !archive.is_zip() {
        return archive.for_each(|entry| match read_entry(entry, config)? {
            Some(found) => {
                emit(whole, found);
                Ok(())
            }
            None => Err(unknown(entry)),
        });
    }
    let parts = Parts::of(&archive)?;
    match parts.read()? {
        Some(found) => emit(whole, found),
        None => return many(&name, &archive, config),
    }
    Ok(())
}

/// Reads each document in an archive.
fn many(name: &str, archive: &Archive<'_>, config: &Config) -> Result<(), Error> {
    let (mut written, mut unreadable, mut other) = (0_usize, 0_usize, 0_usize);
    archive.for_each(|entry| {
        reading::at(entry.inside());
        let place = Place {
            file: name,
            path: entry.path(),
            inside: entry.inside(),
        };
        match read_entry(entry, config) {
            Ok(Some(Found::CutOff)) => unreadable += 1,
            Ok(Some(found)) => {
                written += 1;
                emit(place, found);
            }
            Ok(None) => {
                other += 1;
                reading::skip(entry.inside(), Reason::Unsupported);
            }
            // What is wrong with one document is no reason to lose the others.
            Err(error) => {
                unreadable += 1;
                reading::skip(text_of(&error), Reason::Unreadable);
            }
        }
        Ok(())
    })?;
    if written > 0 {
        return Ok(());
    }
    Err(Error::InvalidInput(format!(
        "the archive yields nothing: {unreadable} documents are unreadable, {other} files are no documents; `documents` reads \
         {ACCEPTED}{}",
        archive.left_out()
    )))
}

fn text_of(error: &Error) -> &str {
    match error {
        Error::InvalidInput(text) | Error::InvalidConfig(text) | Error::InvalidAnswer(text) => text,
        Error::Other(_) => "it cannot be read",
    }
}

fn emit(place: Place<'_>, found: Found) {
    match found {
        Found::Document(document) if document.text.is_empty() => {
            reading::skip(place.path, Reason::Empty);
        }
        Found::Document(document) => reading::emit(output(place, document)),
        Found::Nothing(reason) => reading::skip(place.path, reason),
        Found::CutOff => {}
    }
}

/// Reads a file or an entry, or returns nothing if it is no document.
fn read_entry(entry: &Entry<'_>, config: &Config) -> Result<Option<Found>, Error> {
    let start = take(entry, START_BYTES)?;
    let kind = recognise(&start, entry.name());
    Ok(Some(match kind {
        Kind::Page => Found::Document(text::page(
            &take_all(entry, TEXT_BYTES, "page")?,
            config.main_text,
        )?),
        Kind::Text(format) => {
            Found::Document(text::plain(take_all(entry, TEXT_BYTES, "text")?, format)?)
        }
        Kind::Pdf => pdf::read(take_all(entry, PDF_BYTES, "PDF")?)?,
        Kind::Zip => {
            let parts = Parts::of(&Archive::enter(entry)?)?;
            match parts.read()? {
                Some(found) => found,
                None if parts.is_empty() => Found::CutOff,
                None => return Ok(None),
            }
        }
        Kind::Empty => Found::Nothing(Reason::Empty),
        Kind::Unknown => return Ok(None),
    }))
}

fn take(entry: &Entry<'_>, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = entry.open()?.take(most).read_to_end(&mut bytes);
    read.map_err(|error| Error::InvalidInput(format!("it cannot be read: {error}")))?;
    Ok(bytes)
}

pub(crate) fn take_all(entry: &Entry<'_>, most: u64, what: &str) -> Result<Vec<u8>, Error> {
    let bytes = take(entry, most + 1)?;
    if bytes.len() as u64 > most {
        return Err(Error::InvalidInput(format!(
            "this {what} is larger than {} MiB, which is the most that is read",
            most >> 20
        )));
    }
    Ok(bytes)
}

fn unknown(entry: &Entry<'_>) -> Error {
    let start = take(entry, START_BYTES).unwrap_or_default();
    let found = match &start[..] {
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            "a file of Word, Excel or PowerPoint before 2007: save it as DOCX or PDF".to_owned()
        }
        [b'{', b'\\', b'r', b't', b'f', ..] => "RTF: save it as DOCX or PDF".to_owned(),
        [b'P', b'K', 3, 4, ..] => "a zip without documents".to_owned(),
        _ => {
            let first = start
                .split(|&byte| byte == b'\n')
                .next()
                .unwrap_or_default();
            let shown: String = String::from_utf8_lossy(first).chars().take(40).collect();
            format!("a file that begins with {shown:?}")
        }
    };
    Error::InvalidInput(format!(
        "no document that is known, but {found}; `documents` reads {ACCEPTED}"
    ))
}
