//! The elements of the text, as they come, to blocks.

use std::collections::HashMap;

use super::markdown::{self, Block, Markdown};
use super::styles::Styles;
use crate::xml::{Attributes, Piece};

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

/// The text that is read.
pub(super) struct Body<'a> {
    styles: &'a Styles,
    links: &'a HashMap<String, String>,
    markdown: Markdown,
    /// Whether the part is a text at all.
    pub(super) is_document: bool,
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
    pub(super) fn new(styles: &'a Styles, links: &'a HashMap<String, String>) -> Self {
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

    pub(super) fn add(&mut self, piece: Piece<'_>) {
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
    pub(super) fn finish(mut self) -> String {
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
