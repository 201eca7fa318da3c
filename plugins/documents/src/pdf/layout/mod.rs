//! Words, lines and paragraphs from the places of glyphs.
//!
//! The order in which a program writes its glyphs is nearly always the order in which they are read, columns included, so
//! that it is kept. What tells lines and words apart is the distance to the glyph before.

mod accents;

use std::collections::HashMap;

/// A glyph on a page; lengths are in points, `y` grows downwards.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placed {
    pub(crate) text: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: f64,
    /// How far its ink reaches to the right, in parts of its size.
    pub(crate) ink: Option<f64>,
    pub(crate) glyph: u128,
    /// In which direction its line runs.
    pub(crate) angle: f64,
}

/// A gap of this part of a glyph's size is a space.
const SPACE: f64 = 0.15;
/// What a glyph has to its right beside its ink, at most.
const BEARING: f64 = 0.08;
/// Glyphs this far off a line, in parts of their size, are on another one.
const OFF_LINE: f64 = 0.45;
/// A distance between lines of this many sizes is one between paragraphs.
const PARAGRAPH: f64 = 1.75;
/// A line that ends this far before the longest one, in sizes, ends its paragraph.
const SHORT: f64 = 6.0;

/// The text of the pages so far.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    text: String,
    written: usize,
}

/// A line of a page.
#[derive(Debug, Default, Clone)]
struct Line {
    text: String,
    start: f64,
    end: f64,
    y: f64,
    size: f64,
}

impl Layout {
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Adds a page.
    pub(crate) fn page(&mut self, glyphs: &[Placed]) {
        self.written += glyphs
            .iter()
            .filter(|glyph| !glyph.text.trim().is_empty())
            .count();
        let lines = lines(glyphs);
        let mut above: Option<&Line> = None;
        // The longest line around here says where the margin is.
        let margin = lines.iter().map(|line| line.end).fold(f64::MIN, f64::max);
        for line in &lines {
            match above {
                Some(above) if goes_on(above, line, margin) => join(&mut self.text, &line.text),
                _ => {
                    if !self.text.is_empty() {
                        self.text.push_str("\n\n");
                    }
                    self.text.push_str(&line.text);
                }
            }
            above = Some(line);
        }
    }

    /// Returns the text, and how many glyphs it has.
    pub(crate) fn finish(self) -> (String, usize) {
        (self.text.trim().to_owned(), self.written)
    }
}

/// Whether a line continues the paragraph of the one above.
fn goes_on(above: &Line, line: &Line, margin: f64) -> bool {
    let size = above.size.max(line.size);
    let step = line.y - above.y;
    let same_size = (above.size - line.size).abs() < 0.12 * size;
    if !same_size || step <= 0.0 || step > PARAGRAPH * size {
        return false;
    }
    // The next line begins elsewhere: a list, or another column.
    if line.start > above.end || line.end < above.start {
        return false;
    }
    let bullet = line.text.starts_with(['•', '▪', '–', '‣', '◦', '■']);
    // A line that is far from full ends its paragraph if what follows begins like a sentence.
    let ends = above.text.ends_with(['.', '!', '?', ':', '。'])
        && above.end + SHORT * size < line.end.max(margin.min(line.end + size));
    !bullet && !ends
}

/// Joins a line to the text above, and a word that was hyphenated.
fn join(text: &mut String, line: &str) {
    let lower = line.chars().next().is_some_and(char::is_lowercase);
    let mut before = text.chars().rev();
    match (before.next(), before.next()) {
        (Some('\u{ad}'), _) => {
            text.pop();
        }
        (Some('-' | '\u{2010}'), Some(letter)) if letter.is_lowercase() && lower => {
            text.pop();
        }
        (Some(last), _) if is_unspaced(last) && line.chars().next().is_some_and(is_unspaced) => {}
        _ => text.push(' '),
    }
    text.push_str(line);
}

/// Scripts that have no spaces between words.
fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}')
}

fn lines(glyphs: &[Placed]) -> Vec<Line> {
    let steps = steps(glyphs);
    let mut lines: Vec<Line> = Vec::new();
    let mut above: Option<&Placed> = None;
    for glyph in glyphs {
        let follows = above.is_some_and(|above| follows(above, glyph));
        let Some(line) = lines.last_mut().filter(|_| follows) else {
            lines.push(Line {
                text: printable(&glyph.text),
                start: glyph.x,
                end: end(glyph),
                y: glyph.y,
                size: glyph.size,
            });
            above = Some(glyph);
            continue;
        };
        if let Some(above) = above {
            // Bold is at times the same glyph twice, a little shifted.
            let again = above.text == glyph.text && (glyph.x - above.x).abs() < 0.12 * glyph.size;
            if again && !glyph.text.trim().is_empty() {
                continue;
            }
            let gap = glyph.x - above.x - width(above, &steps) * above.size;
            let spaced = line.text.ends_with(' ') || glyph.text.starts_with(char::is_whitespace);
            if gap > SPACE * glyph.size.min(above.size) && !spaced {
                line.text.push(' ');
            }
        }
        accents::push(&mut line.text, &printable(&glyph.text));
        line.end = line.end.max(end(glyph));
        line.size = line.size.max(glyph.size);
        above = Some(glyph);
    }
    for line in &mut lines {
        line.text = line.text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    lines.retain(|line| !line.text.is_empty());
    merge(lines)
}

/// Whether a glyph is on the line of the one before it, and not before its start.
fn follows(above: &Placed, glyph: &Placed) -> bool {
    let size = above.size.max(glyph.size);
    (above.angle - glyph.angle).abs() < 0.01
        && (above.y - glyph.y).abs() < OFF_LINE * size
        && glyph.x > above.x - size
        && glyph.x < above.x + 12.0 * size
}

/// Joins neighbours that were written as parts of one line, such as the cells of a table.
fn merge(lines: Vec<Line>) -> Vec<Line> {
    let mut merged: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        match merged.last_mut() {
            Some(last)
                if (last.y - line.y).abs() < 0.2 * last.size.max(line.size)
                    && line.start >= last.end =>
            {
                last.text.push(' ');
                last.text.push_str(&line.text);
                last.end = line.end;
            }
            _ => merged.push(line),
        }
    }
    merged
}

fn end(glyph: &Placed) -> f64 {
    glyph.x + glyph.ink.unwrap_or(0.5) * glyph.size
}

/// Returns how wide a glyph is with the space to its sides, in parts of its size.
fn width(glyph: &Placed, steps: &HashMap<(u128, u64), f64>) -> f64 {
    let Some(ink) = glyph.ink else {
        return 0.6;
    };
    // The shortest distance is too short where a letter was moved under another one.
    match steps.get(&(glyph.glyph, scale(glyph.size))) {
        Some(&step) => step.max(ink).min(ink + BEARING),
        None => ink + BEARING,
    }
}

/// Returns the shortest distance from each glyph to the one after it: the width that its font gives it.
fn steps(glyphs: &[Placed]) -> HashMap<(u128, u64), f64> {
    let mut steps: HashMap<(u128, u64), f64> = HashMap::new();
    for (glyph, next) in glyphs.iter().zip(glyphs.iter().skip(1)) {
        let step = (next.x - glyph.x) / glyph.size;
        if glyph.glyph != 0 && follows(glyph, next) && step > 0.1 {
            let shortest = steps
                .entry((glyph.glyph, scale(glyph.size)))
                .or_insert(step);
            *shortest = shortest.min(step);
        }
    }
    steps
}

fn scale(size: f64) -> u64 {
    (size * 10.0).to_bits()
}

/// Returns a glyph's text with ligatures taken apart and without control characters.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            'ﬀ' => printable.push_str("ff"),
            'ﬁ' => printable.push_str("fi"),
            'ﬂ' => printable.push_str("fl"),
            'ﬃ' => printable.push_str("ffi"),
            'ﬄ' => printable.push_str("ffl"),
            'ﬅ' | 'ﬆ' => printable.push_str("st"),
            '\u{a0}' | '\t' | '\n' | '\r' => printable.push(' '),
            char if char.is_control() => {}
            char => printable.push(char),
        }
    }
    printable
}

#[cfg(test)]
mod tests;
