//! EPUB: the chapters of a book in the order in which they are read, as one text.

use std::collections::{HashMap, HashSet};

use synix_plugin::Error;
use synix_plugin::reading::{self, Reason};
use synix_reading::time::Time;

use crate::document::Document;
use crate::parts::Parts;
use crate::pile::{CHAPTER_BYTES, Found, take_all};
use crate::xml::{Piece, pieces, texts};

/// The most of a book that is taken: an artifact has a limit.
const BOOK_BYTES: usize = 24 << 20;

/// Reads the book.
pub(crate) fn read(parts: &Parts<'_>) -> Result<Found, Error> {
    let missing =
        |what: &str| Error::InvalidInput(format!("the book is damaged: it has no {what}"));
    let container = parts
        .get("META-INF/container.xml")
        .ok_or_else(|| missing("META-INF/container.xml"))?;
    let mut package = None;
    pieces(container, |piece| {
        if let Piece::Start("rootfile", attributes) = piece {
            package = package.take().or(attributes.get("full-path"));
        }
    })?;
    let package = package.ok_or_else(|| missing("rootfile in META-INF/container.xml"))?;
    let entry = parts.get(&package).ok_or_else(|| missing(&package))?;
    let folder = package.rsplit_once('/').map_or("", |(folder, _)| folder);
    let locked = locked(parts)?;
    let mut items: HashMap<String, String> = HashMap::new();
    let mut order = Vec::new();
    pieces(entry, |piece| match piece {
        Piece::Start("item", attributes) => {
            if let (Some(id), Some(path)) = (attributes.get("id"), attributes.get("href")) {
                items.insert(id, join(folder, &path));
            }
        }
        Piece::Start("itemref", attributes) => order.extend(attributes.get("idref")),
        Piece::Start(..) | Piece::End(_) | Piece::Text(_) => {}
    })?;
    // A book lists a chapter once; a hostile one lists a long chapter a thousand times.
    let mut listed = HashSet::new();
    let chapters = order.iter().filter_map(|id| items.get(id));
    let chapters: Vec<&String> = chapters.filter(|path| listed.insert(*path)).collect();
    if chapters.is_empty() {
        return Err(missing("list of chapters"));
    }
    if chapters.iter().all(|path| locked.contains(path)) {
        return Ok(Found::Nothing(Reason::Unsupported));
    }
    let mut text = String::new();
    for path in chapters {
        if text.len() > BOOK_BYTES {
            reading::skip(
                &format!("the chapters from {path} on: the book is too long"),
                Reason::Unsupported,
            );
            break;
        }
        match chapter(parts, path) {
            Ok(chapter) if chapter.is_empty() => {}
            Ok(chapter) => {
                if !text.is_empty() {
                    text.push_str("\n\n");
                }
                text.push_str(&chapter);
            }
            // The other chapters are a book as well.
            Err(_) => reading::skip(path, Reason::Unreadable),
        }
    }
    if text.is_empty() {
        return Ok(Found::Nothing(Reason::NoText));
    }
    let mut about = texts(entry, &["title", "creator", "date", "language"])?.into_iter();
    let mut next = || about.next().flatten();
    Ok(Found::Document(Document {
        format: "epub",
        text,
        title: next(),
        author: next(),
        created: next().as_deref().and_then(Time::parse),
        language: next(),
        ..Document::default()
    }))
}

fn chapter(parts: &Parts<'_>, path: &str) -> Result<String, Error> {
    let entry = parts
        .get(path)
        .ok_or_else(|| Error::InvalidInput(format!("{path} is missing")))?;
    let html = synix_markup::decode(&take_all(entry, CHAPTER_BYTES, "chapter")?);
    // A browser takes what XML has as an empty element for one that is open.
    let page =
        synix_markup::page(&html, false).map_err(|error| Error::InvalidInput(error.to_string()))?;
    Ok(page.text)
}

/// Returns the files that are encrypted. Fonts often are, chapters only in books that are sold.
fn locked(parts: &Parts<'_>) -> Result<Vec<String>, Error> {
    let mut locked = Vec::new();
    if let Some(entry) = parts.get("META-INF/encryption.xml") {
        pieces(entry, |piece| {
            if let Piece::Start("CipherReference", attributes) = piece {
                locked.extend(attributes.get("URI"));
            }
        })?;
    }
    Ok(locked)
}

/// Returns a path in the book, from the folder of the package and a link.
fn join(folder: &str, link: &str) -> String {
    let link = link.split('#').next().unwrap_or(link);
    let decoded = percent_decoded(link);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .filter(|_| byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
