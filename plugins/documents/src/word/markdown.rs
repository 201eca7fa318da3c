//! Blocks of text as Markdown.

use std::collections::HashMap;

/// Levels of lists that are shown.
const LEVELS: usize = 9;

/// What a paragraph is.
#[derive(Debug)]
pub(super) enum Block<'a> {
    Text,
    Heading(usize),
    Item {
        list: &'a str,
        level: usize,
        ordered: bool,
    },
    Note(&'a str),
}

/// A text that is written block by block.
#[derive(Debug, Default)]
pub(super) struct Markdown {
    text: String,
    /// The list that the last block was an item of, by its first level.
    list: Option<String>,
    /// The numbers that the items of a list have reached, by level.
    numbers: HashMap<String, [usize; LEVELS]>,
}

impl Markdown {
    pub(super) fn block(&mut self, block: &Block<'_>, text: &str) {
        let list = match block {
            // What is deeper belongs to the list around it.
            Block::Item { list, level: 0, .. } => Some((*list).to_owned()),
            Block::Item { list, .. } => self.list.clone().or_else(|| Some((*list).to_owned())),
            Block::Text | Block::Heading(_) | Block::Note(_) => None,
        };
        let in_list = list.is_some() && list == self.list;
        if !self.text.is_empty() {
            self.text.push_str(if in_list { "\n" } else { "\n\n" });
        }
        self.list = list;
        match block {
            Block::Text => self.text.push_str(text),
            Block::Heading(level) => {
                self.text
                    .extend(std::iter::repeat_n('#', (*level).clamp(1, 6)));
                self.text.push(' ');
                self.text.push_str(&text.replace('\n', " "));
            }
            Block::Item {
                list,
                level,
                ordered,
            } => {
                let level = (*level).min(LEVELS - 1);
                let indent = " ".repeat(3 * level);
                self.text.push_str(&indent);
                if *ordered {
                    let number = self.next(list, level);
                    self.text.push_str(&format!("{number}. "));
                } else {
                    self.text.push_str("- ");
                }
                self.text
                    .push_str(&text.replace('\n', &format!("\n{indent}   ")));
            }
            Block::Note(sign) => self
                .text
                .push_str(&format!("[^{sign}]: {}", text.replace('\n', " "))),
        }
    }

    fn next(&mut self, list: &str, level: usize) -> usize {
        let numbers = self.numbers.entry(list.to_owned()).or_default();
        for (at, number) in numbers.iter_mut().enumerate().skip(level) {
            *number = if at == level { *number + 1 } else { 0 };
        }
        numbers.get(level).copied().unwrap_or(1)
    }

    /// Writes a table; the first row is its head, since Markdown needs one.
    pub(super) fn table(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        if columns < 2 {
            // It places text.
            for cell in rows.iter().flatten().filter(|cell| !cell.is_empty()) {
                self.block(&Block::Text, cell);
            }
            return;
        }
        let mut lines = Vec::new();
        for row in rows
            .iter()
            .filter(|row| row.iter().any(|cell| !cell.is_empty()))
        {
            let cells = (0..columns).map(|column| {
                row.get(column)
                    .map_or(String::new(), |cell| cell.replace('|', "\\|"))
            });
            lines.push(format!("| {} |", cells.collect::<Vec<_>>().join(" | ")));
            if lines.len() == 1 {
                lines.push(format!("|{}", " --- |".repeat(columns)));
            }
        }
        if !lines.is_empty() {
            self.block(&Block::Text, &lines.join("\n"));
        }
    }

    pub(super) fn finish(self) -> String {
        let text = self
            .text
            .lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n");
        let text: String = text
            .chars()
            .filter(|&char| matches!(char, '\n' | '\t') || !char.is_control())
            .collect();
        text.trim().to_owned()
    }
}

/// Adds a paragraph to a cell, which is one line.
pub(super) fn add_to_cell(cell: &mut String, text: &str) {
    if !cell.is_empty() {
        cell.push(' ');
    }
    cell.push_str(&text.replace(['\n', '\t'], " "));
}
