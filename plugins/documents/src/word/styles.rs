//! What the styles and lists of a document mean. Names of styles are in the language of the program, so that their
//! outline level counts where there is one.

use std::collections::HashMap;

use synix_plugin::Error;
use synix_reading::archive::Entry;

use crate::xml::{Piece, pieces};

/// Styles that are based on one another.
const BASES: usize = 16;

/// A style of paragraphs.
#[derive(Debug, Default, Clone)]
pub(super) struct Style {
    /// The level of the heading that it is.
    pub(super) heading: Option<usize>,
    /// The list that its paragraphs are items of.
    pub(super) list: Option<String>,
    pub(super) level: Option<usize>,
    base: Option<String>,
}

/// The styles and lists of a document.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: HashMap<String, Style>,
    /// The kind of a list.
    lists: HashMap<String, String>,
    /// The levels of a kind that are numbered.
    ordered: HashMap<String, Vec<usize>>,
}

impl Styles {
    pub(super) fn read(
        styles: Option<&Entry<'_>>,
        numbering: Option<&Entry<'_>>,
    ) -> Result<Self, Error> {
        let mut all = Self::default();
        if let Some(entry) = styles {
            all.styles(entry)?;
        }
        if let Some(entry) = numbering {
            all.lists(entry)?;
        }
        Ok(all)
    }

    /// Returns what a style means, with what it takes from those that it is based on.
    pub(super) fn of(&self, name: Option<&str>) -> Style {
        let mut style = Style::default();
        let mut name = name.map(str::to_owned);
        for _ in 0..BASES {
            let Some(found) = name.as_ref().and_then(|name| self.styles.get(name)) else {
                break;
            };
            style.heading = style.heading.or(found.heading);
            style.list = style.list.or_else(|| found.list.clone());
            style.level = style.level.or(found.level);
            name.clone_from(&found.base);
        }
        // Without a file of styles their names are all there is.
        if let Some(name) = name.filter(|_| self.styles.is_empty()) {
            style.heading = heading(&name);
        }
        style
    }

    /// Returns whether the items of a list are numbered.
    pub(super) fn is_ordered(&self, list: &str, level: usize) -> bool {
        let levels = self.lists.get(list).and_then(|kind| self.ordered.get(kind));
        levels.is_some_and(|levels| levels.contains(&level))
    }

    fn styles(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let mut open: Option<(String, Style)> = None;
        pieces(entry, |piece| match piece {
            Piece::Start("style", attributes) => {
                open = attributes.get("styleId").map(|id| (id, Style::default()));
            }
            Piece::Start(name, attributes) => {
                if let Some((_, style)) = &mut open {
                    let value = attributes.get("val");
                    let number = value
                        .as_deref()
                        .and_then(|value| value.parse::<usize>().ok());
                    match name {
                        "name" => {
                            style.heading = style.heading.or(value.as_deref().and_then(heading));
                        }
                        // 9 is text.
                        "outlineLvl" => {
                            style.heading = number
                                .filter(|&level| level < 9)
                                .map(|level| level + 1)
                                .or(style.heading);
                        }
                        "basedOn" => style.base = value,
                        "numId" => style.list = value,
                        "ilvl" => style.level = number,
                        _ => {}
                    }
                }
            }
            Piece::End("style") => {
                if let Some((id, style)) = open.take() {
                    self.styles.insert(id, style);
                }
            }
            Piece::End(_) | Piece::Text(_) => {}
        })
    }

    fn lists(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let (mut kind, mut list) = (None, None);
        let mut level = 0;
        pieces(entry, |piece| {
            let Piece::Start(name, attributes) = piece else {
                return;
            };
            match name {
                "abstractNum" => kind = attributes.get("abstractNumId"),
                "lvl" => {
                    level = attributes
                        .get("ilvl")
                        .and_then(|level| level.parse().ok())
                        .unwrap_or(0);
                }
                "numFmt" => {
                    let format = attributes.get("val").unwrap_or_default();
                    if let (Some(kind), false) = (&kind, format == "bullet" || format == "none") {
                        self.ordered.entry(kind.clone()).or_default().push(level);
                    }
                }
                "num" => list = attributes.get("numId"),
                "abstractNumId" => {
                    if let (Some(list), Some(kind)) = (&list, attributes.get("val")) {
                        self.lists.insert(list.clone(), kind);
                    }
                }
                _ => {}
            }
        })
    }
}

/// Returns the level in a name such as `heading 2` or `Heading2`.
fn heading(name: &str) -> Option<usize> {
    let name = name.to_lowercase().replace(' ', "");
    if name == "title" {
        return Some(1);
    }
    let level = name.strip_prefix("heading")?.parse().ok()?;
    (1..=9).contains(&level).then_some(level)
}
