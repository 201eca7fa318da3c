//! DOCX: the paragraphs, lists and tables of a text as Markdown.
//!
//! The file is streamed: what is kept is the text, and of each open paragraph and table its own.

use std::collections::HashMap;

use synix_plugin::Error;
use synix_plugin::reading::Reason;
use synix_reading::archive::Entry;
use synix_reading::time::Time;

use crate::document::Document;
use crate::parts::Parts;
use crate::pile::Found;
use crate::xml::{Piece, pieces, texts};

mod body;
mod markdown;
mod styles;

use body::Body;
use styles::Styles;

/// Reads the document, or returns nothing if the archive is another one of Office.
pub(crate) fn read(parts: &Parts<'_>) -> Result<Option<Found>, Error> {
    let main = main_part(parts)?;
    let Some(entry) = parts.get(&main).filter(|_| {
        main.ends_with(".xml") && !main.starts_with("xl/") && !main.starts_with("ppt/")
    }) else {
        return Ok(None);
    };
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let in_folder = |name: &str| {
        if folder.is_empty() {
            name.to_owned()
        } else {
            format!("{folder}/{name}")
        }
    };
    let part = |name: &str| parts.get(&in_folder(name));
    let styles = Styles::read(part("styles.xml"), part("numbering.xml"))?;
    let name = main.rsplit('/').next().unwrap_or(&main);
    let links = links(part(&format!("_rels/{name}.rels")))?;
    let mut body = Body::new(&styles, &links);
    pieces(entry, |piece| body.add(piece))?;
    if !body.is_document {
        return Ok(None);
    }
    for notes in ["footnotes.xml", "endnotes.xml"] {
        if let Some(entry) = part(notes) {
            pieces(entry, |piece| body.add(piece))?;
        }
    }
    let mut document = Document {
        format: "docx",
        text: body.finish(),
        ..Document::default()
    };
    // A document without these is as good; one in which they are damaged as well.
    let about = parts.get("docProps/core.xml").map(|core| {
        texts(
            core,
            &["title", "creator", "created", "modified", "language"],
        )
    });
    if let Some(Ok(about)) = about {
        let mut about = about.into_iter();
        let mut next = || about.next().flatten();
        document.title = next();
        document.author = next();
        document.created = next().as_deref().and_then(Time::parse);
        document.updated = next().as_deref().and_then(Time::parse);
        document.language = next();
    }
    if document.text.is_empty() {
        return Ok(Some(Found::Nothing(Reason::Empty)));
    }
    Ok(Some(Found::Document(document)))
}

/// Returns the path of the part with the text.
fn main_part(parts: &Parts<'_>) -> Result<String, Error> {
    let mut main = None;
    if let Some(entry) = parts.get("_rels/.rels") {
        pieces(entry, |piece| {
            if let Piece::Start("Relationship", attributes) = piece
                && attributes
                    .get("Type")
                    .is_some_and(|kind| kind.ends_with("/officeDocument"))
            {
                main = attributes.get("Target");
            }
        })?;
    }
    let main = main.unwrap_or_else(|| "word/document.xml".to_owned());
    Ok(main.trim_start_matches('/').to_owned())
}

/// Returns where the links of a part lead, by their identifiers.
fn links(entry: Option<&Entry<'_>>) -> Result<HashMap<String, String>, Error> {
    let mut links = HashMap::new();
    if let Some(entry) = entry {
        pieces(entry, |piece| {
            if let Piece::Start("Relationship", attributes) = piece
                && attributes
                    .get("TargetMode")
                    .is_some_and(|mode| mode == "External")
                && let (Some(id), Some(target)) = (attributes.get("Id"), attributes.get("Target"))
            {
                links.insert(id, target);
            }
        })?;
    }
    Ok(links)
}

#[cfg(test)]
mod tests;
