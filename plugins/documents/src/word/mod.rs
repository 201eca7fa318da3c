//! DOCX: the paragraphs, lists and tables of a text as Markdown.
//!
//! The file is streamed: what is kept is the text, and of each open paragraph and table its own.

use std::collections::HashMap;

use synix_plugin::Error;
use synix_plugin::reading::Reason;
use synix_reading::archive::Entry;
use synix_reading::time::Time;

use crate::document::Document;
use crate::pile::{Found, Parts};
use crate::xml::{Attributes, Piece, pieces, texts};

mod markdown;
mod styles;

use markdown::{Block, Markdown};
use styles::Styles;

/// Tables inside one another; what is deeper is text of the cell around it.
const TABLES: usize = 8;
/// Elements whose text is not shown: what was deleted, the code of fields, the same again for old programs.
const HIDDEN: [&str; 6] = [
    "del",
    "moveFrom",
    "instrText",
    "delText",
    "Fallback",
    "rubyPr",
];

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

/// An open paragraph. A text box has paragraphs inside of one.
#[derive(Default)]
struct Paragraph {
    text: String,
    style: Option<String>,
    list: Option<String>,
    level: Option<usize>,
    /// Where links began that are open, and where they lead.
    links: Vec<(usize, Option<String>)>,
}

/// An open table.
#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
}

struct Body<'a> {
    styles: &'a Styles,
    links: &'a HashMap<String, String>,
    markdown: Markdown,
    /// Whether the part is a text at all.
    is_document: bool,
    depth: usize,
    /// The depth of the element that is not shown.
    hidden: Option<usize>,
    /// Whether text counts: between elements it only places them.
    in_text: bool,
    paragraphs: Vec<Paragraph>,
    tables: Vec<Table>,
    /// Tables that are too deep.
    flat: usize,
    /// The sign of the note that is open.
    note: Option<String>,
}

impl<'a> Body<'a> {
    fn new(styles: &'a Styles, links: &'a HashMap<String, String>) -> Self {
        Self {
            styles,
            links,
            markdown: Markdown::default(),
            is_document: false,
            depth: 0,
            hidden: None,
            in_text: false,
            paragraphs: Vec::new(),
            tables: Vec::new(),
            flat: 0,
            note: None,
        }
    }

    fn add(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Start(name, attributes) => {
                self.depth += 1;
                if self.hidden.is_none() {
                    if HIDDEN.contains(&name) {
                        self.hidden = Some(self.depth);
                    } else {
                        self.start(name, &attributes);
                    }
                }
            }
            Piece::End(name) => {
                if self.hidden.is_none() {
                    self.end(name);
                }
                if self.hidden == Some(self.depth) {
                    self.hidden = None;
                }
                self.depth = self.depth.saturating_sub(1);
            }
            Piece::Text(text) => {
                if self.in_text && self.hidden.is_none() {
                    self.write(text);
                }
            }
        }
    }

    fn write(&mut self, text: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.text.push_str(text);
        }
    }

    fn start(&mut self, name: &str, attributes: &Attributes<'_>) {
        let value = |name: &str| attributes.get(name);
        match name {
            "document" => self.is_document = true,
            "p" => self.paragraphs.push(Paragraph::default()),
            "t" => self.in_text = true,
            "tab" if !self.paragraphs.is_empty() => self.write("\t"),
            "br" if value("type").is_none_or(|kind| kind == "textWrapping") => self.write("\n"),
            "cr" => self.write("\n"),
            "noBreakHyphen" => self.write("-"),
            "hyperlink" => {
                let link = value("id").and_then(|id| self.links.get(&id).cloned());
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.links.push((paragraph.text.len(), link));
                }
            }
            "footnoteReference" => self.write(&format!("[^{}]", value("id").unwrap_or_default())),
            "endnoteReference" => self.write(&format!("[^e{}]", value("id").unwrap_or_default())),
            // The lines between text and notes are notes with a type.
            "footnote" | "endnote" if value("type").is_some() => self.hidden = Some(self.depth),
            "footnote" => self.note = value("id"),
            "endnote" => self.note = value("id").map(|id| format!("e{id}")),
            "tbl" if self.tables.len() < TABLES => self.tables.push(Table::default()),
            "tbl" => self.flat += 1,
            "tr" if self.flat == 0 => {
                if let Some(table) = self.tables.last_mut() {
                    table.rows.push(Vec::new());
                }
            }
            "tc" if self.flat == 0 => {
                if let Some(row) = self
                    .tables
                    .last_mut()
                    .and_then(|table| table.rows.last_mut())
                {
                    row.push(String::new());
                }
            }
            "pStyle" | "numId" | "ilvl" => {
                let value = value("val");
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    match name {
                        "pStyle" => paragraph.style = value,
                        "numId" => paragraph.list = value,
                        _ => paragraph.level = value.and_then(|level| level.parse().ok()),
                    }
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "p" => {
                if let Some(paragraph) = self.paragraphs.pop() {
                    self.paragraph(&paragraph);
                }
            }
            "hyperlink" => {
                if let Some(paragraph) = self.paragraphs.last_mut()
                    && let Some((start, Some(link))) = paragraph.links.pop()
                {
                    let text = paragraph.text.split_off(start.min(paragraph.text.len()));
                    let bare = text.trim().is_empty() || text.trim() == link;
                    paragraph.text += &if bare {
                        text
                    } else {
                        format!("[{text}]({link})")
                    };
                }
            }
            "footnote" | "endnote" => self.note = None,
            "tbl" if self.flat > 0 => self.flat -= 1,
            "tbl" => {
                let Some(table) = self.tables.pop() else {
                    return;
                };
                match self.cell() {
                    // A table in a cell becomes text: Markdown has no such thing.
                    Some(cell) => {
                        let rows = table.rows.iter().map(|row| row.join(" "));
                        for row in rows {
                            markdown::add_to_cell(cell, &row);
                        }
                    }
                    None => self.markdown.table(&table.rows),
                }
            }
            _ => {}
        }
    }

    /// Ends what the file left open, and returns the text.
    fn finish(mut self) -> String {
        self.hidden = None;
        while let Some(paragraph) = self.paragraphs.pop() {
            self.paragraph(&paragraph);
        }
        self.flat = 0;
        while !self.tables.is_empty() {
            self.end("tbl");
        }
        self.markdown.finish()
    }

    fn cell(&mut self) -> Option<&mut String> {
        self.tables.last_mut()?.rows.last_mut()?.last_mut()
    }

    fn paragraph(&mut self, paragraph: &Paragraph) {
        let text = paragraph.text.trim();
        if text.is_empty() {
            return;
        }
        if let Some(cell) = self.cell() {
            return markdown::add_to_cell(cell, text);
        }
        let style = self.styles.of(paragraph.style.as_deref());
        let list = paragraph
            .list
            .as_deref()
            .or(style.list.as_deref())
            .filter(|list| *list != "0");
        let block = match (&self.note, style.heading, list) {
            (Some(note), ..) => Block::Note(note),
            (None, Some(level), _) => Block::Heading(level),
            (None, None, Some(list)) => {
                let level = paragraph.level.or(style.level).unwrap_or(0);
                Block::Item {
                    list,
                    level,
                    ordered: self.styles.is_ordered(list, level),
                }
            }
            (None, None, None) => Block::Text,
        };
        self.markdown.block(&block, text);
    }
}

#[cfg(test)]
mod tests;
