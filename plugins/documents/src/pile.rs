//! What a file is: a document, or an archive of documents.

use std::io::Read as _;

use synix_plugin::Error;
use synix_plugin::reading::{self, File, Reason};
use synix_reading::archive::{Archive, Entry};

use crate::document::{Document, Place, output};
use crate::{Config, book, pdf, text, word};

/// The bytes that a document is recognised by.
const START_BYTES: u64 = 4096;
/// The largest page or text; its tree takes some ten times of it.
const TEXT_BYTES: u64 = 16 << 20;
/// The largest chapter of a book.
pub(crate) const CHAPTER_BYTES: u64 = TEXT_BYTES;
/// The largest PDF, which is read as a whole.
const PDF_BYTES: u64 = 96 << 20;
/// The most entries of a document that is an archive.
const PARTS: usize = 10_000;
const ACCEPTED: &str = "HTML, PDF, DOCX, EPUB, Markdown and text, each also in a zip";
/// How far from its start the first line of a PDF may be.
const PDF_START: usize = 1024;
/// Elements that begin a page or are near its beginning.
const ELEMENTS: [&str; 22] = [
    "!doctype html",
    "html",
    "head",
    "title",
    "meta",
    "body",
    "div",
    "p",
    "h1",
    "h2",
    "h3",
    "table",
    "ul",
    "ol",
    "article",
    "main",
    "section",
    "span",
    "br",
    "center",
    "font",
    "a",
];

/// What is left of a document that has no text.
pub(crate) enum Found {
    Document(Document),
    /// It has no text, for this reason.
    Nothing(Reason),
    /// It is an archive that is cut off, which was reported when it was opened.
    CutOff,
}

/// What the first bytes and the name say.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Kind {
    Page,
    Pdf,
    /// An archive, which may be a DOCX or an EPUB.
    Zip,
    Text(&'static str),
    Empty,
    Unknown,
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
                reading::skip(
                    &format!("{}: {}", entry.inside(), text_of(&error)),
                    Reason::Unreadable,
                );
            }
        }
        Ok(())
    })?;
    if written > 0 {
        return Ok(());
    }
    Err(Error::InvalidInput(format!(
        "the archive yields nothing: {unreadable} documents are unreadable, {other} files are no documents; `documents` reads \
         {ACCEPTED}"
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
            reading::skip(place.path, Reason::Empty)
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
                None if parts.0.is_empty() => Found::CutOff,
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

/// Tells what a document is by how it begins; a text has no mark, so its name counts.
fn recognise(start: &[u8], name: &str) -> Kind {
    let near = start.get(..PDF_START).unwrap_or(start);
    if near.windows(5).any(|word| word == b"%PDF-") {
        return Kind::Pdf;
    }
    if start.starts_with(b"PK\x03\x04") {
        return Kind::Zip;
    }
    if start.is_empty() {
        return Kind::Empty;
    }
    let extension = name
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension)
        .to_lowercase();
    let wide = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    if start.contains(&0) && !wide {
        return Kind::Unknown;
    }
    let text = synix_markup::decode(start).to_lowercase();
    let text = text.trim_start();
    // A page begins with an element, perhaps below a declaration or a comment; a feed or a drawing is XML as well.
    let element = |name: &&str| {
        let mut found = text.match_indices('<').map(|(at, _)| &text[at + 1..]);
        found.any(|rest| {
            rest.strip_prefix(*name)
                .is_some_and(|after| after.starts_with([' ', '>', '\n', '\r', '\t', '/']))
        })
    };
    let first = text.strip_prefix('<').unwrap_or_default();
    let declared = first.starts_with("?xml") || first.starts_with("!--");
    let page = first.starts_with("!doctype html")
        || if declared {
            element(&"html")
        } else {
            text.starts_with('<') && ELEMENTS.iter().any(element)
        };
    match extension.as_str() {
        _ if page => Kind::Page,
        "html" | "htm" | "xhtml" => Kind::Page,
        "md" | "markdown" => Kind::Text("markdown"),
        "txt" | "text" => Kind::Text("text"),
        _ => Kind::Unknown,
    }
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

/// The entries of an archive that may be a document.
pub(crate) struct Parts<'a>(Vec<Entry<'a>>);

impl<'a> Parts<'a> {
    fn of(archive: &Archive<'a>) -> Result<Self, Error> {
        let mut parts = Vec::new();
        archive.for_each(|entry| {
            // A document has some hundreds.
            if parts.len() < PARTS {
                parts.push(entry.clone());
            }
            Ok(())
        })?;
        Ok(Self(parts))
    }

    /// Returns the entry at a path in the document.
    pub(crate) fn get(&self, path: &str) -> Option<&Entry<'a>> {
        let ends = |entry: &&Entry<'_>| {
            let rest = entry.path().strip_suffix(path);
            rest.is_some_and(|rest| rest.ends_with('/') || rest.is_empty())
        };
        // Below a document that is itself in an archive, paths are longer: the shortest one is meant.
        self.0
            .iter()
            .filter(ends)
            .min_by_key(|entry| entry.path().len())
    }

    /// Reads the document, or returns nothing if it is none.
    fn read(&self) -> Result<Option<Found>, Error> {
        if self.get("META-INF/container.xml").is_some() {
            return book::read(self).map(Some);
        }
        if self.get("[Content_Types].xml").is_some() {
            return word::read(self);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_known_by_how_it_begins() {
        for (start, name, kind) in [
            (&b"%PDF-1.7"[..], "a.html", Kind::Pdf),
            (b"\n\njunk %PDF-1.4", "a", Kind::Pdf),
            (b"PK\x03\x04", "a.docx", Kind::Zip),
            (b"<!DOCTYPE html><html>", "a", Kind::Page),
            (b"\xef\xbb\xbf \n<HTML>", "a", Kind::Page),
            (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML'><html xmlns='x'>", "a", Kind::Page),
            (b"<!-- saved from url=(0014)about:internet -->\n<html>", "a", Kind::Page),
            (b"<p>Text", "a.txt", Kind::Page),
            (b"Text only", "a.HTM", Kind::Page),
            (b"\xff\xfe<\0h\0t\0m\0l\0>\0", "a", Kind::Page),
            (b"<?xml version='1.0'?><rss><channel><title>x", "a.xml", Kind::Unknown),
            (b"<svg xmlns='x'><path/>", "a.svg", Kind::Unknown),
            (b"# Notes <br>", "a.md", Kind::Text("markdown")),
            (b"a,b", "a.csv", Kind::Unknown),
            (b"\x89PNG\0", "a.txt", Kind::Unknown),
            (b"", "a.pdf", Kind::Empty),
        ] {
            assert_eq!(recognise(start, name), kind, "{:?}", String::from_utf8_lossy(start));
        }
    }
}
