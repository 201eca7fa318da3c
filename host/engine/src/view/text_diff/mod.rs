//! The difference of two texts: changed lines, and the changed words within them.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};
use serde::{Serialize, Serializer};

/// The lines around a change that are shown.
const CONTEXT: u32 = 3;
/// The maximum size of a changed passage whose words are compared, in bytes.
const MAX_PASSAGE: usize = 1 << 16;

/// The difference of two texts. It is serialized in the format of `diff -u`, without names of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDiff {
    /// Passages that changed, with the lines around them.
    pub passages: Vec<Passage>,
}

/// A passage that changed, with the lines around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The lines of the first text, from 0.
    before: Range<u32>,
    /// The lines of the second text, from 0.
    after: Range<u32>,
    /// The lines in order.
    pub lines: Vec<Line>,
}

/// A line of a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which text has it.
    pub side: Side,
    /// Its pieces without the line break.
    pub pieces: Vec<Piece>,
    /// Whether the text ends here without a line break.
    pub is_unended: bool,
}

/// Which text has a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Both.
    Both,
    /// The first.
    Before,
    /// The second.
    After,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether the other text does not have it there.
    pub is_changed: bool,
}

impl TextDiff {
    /// Compares two texts.
    pub fn of(before: &str, after: &str) -> Self {
        let input = InternedInput::new(before, after);
        let mut diff = Diff::compute(Algorithm::Histogram, &input);
        diff.postprocess_lines(&input);
        let lines = Lines {
            before: imara_diff::sources::lines(before).collect(),
            after: imara_diff::sources::lines(after).collect(),
        };
        let mut passages: Vec<Passage> = Vec::new();
        for hunk in diff.hunks() {
            match passages.last_mut() {
                Some(last) if hunk.before.start <= last.before.end + 2 * CONTEXT => {
                    let end = hunk.before.start;
                    lines.add_shared(last, end);
                    lines.add_changed(last, &hunk);
                }
                last => {
                    if let Some(last) = last {
                        lines.close(last);
                    }
                    passages.push(lines.open(&hunk));
                }
            }
        }
        if let Some(last) = passages.last_mut() {
            lines.close(last);
        }
        Self { passages }
    }

    /// Returns the difference in the format of `diff -u`.
    pub fn unified(&self) -> String {
        let mut text = String::new();
        for passage in &self.passages {
            let range = |range: &Range<u32>| {
                let count = range.end - range.start;
                // An empty range is named by the line before it.
                let start = range.start + u32::from(count > 0);
                format!("{start},{count}")
            };
            text.push_str(&format!(
                "@@ -{} +{} @@\n",
                range(&passage.before),
                range(&passage.after)
            ));
            for line in &passage.lines {
                text.push(match line.side {
                    Side::Both => ' ',
                    Side::Before => '-',
                    Side::After => '+',
                });
                line.pieces
                    .iter()
                    .for_each(|piece| text.push_str(&piece.text));
                text.push('\n');
                if line.is_unended {
                    text.push_str("\\ No newline at end of file\n");
                }
            }
        }
        text
    }
}

impl Serialize for TextDiff {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.unified())
    }
}

/// The lines of both texts, with their line breaks.
struct Lines<'a> {
    before: Vec<&'a str>,
    after: Vec<&'a str>,
}

impl Lines<'_> {
    /// Begins a passage with the lines before a change and the change.
    fn open(&self, hunk: &Hunk) -> Passage {
        let context = CONTEXT.min(hunk.before.start);
        let mut passage = Passage {
            before: hunk.before.start - context..hunk.before.start - context,
            after: hunk.after.start - context..hunk.after.start - context,
            lines: Vec::new(),
        };
        self.add_shared(&mut passage, hunk.before.start);
        self.add_changed(&mut passage, hunk);
        passage
    }

    /// Ends a passage with the lines after its last change.
    fn close(&self, passage: &mut Passage) {
        let end = self
            .before
            .len()
            .min((passage.before.end + CONTEXT) as usize);
        self.add_shared(passage, u32::try_from(end).unwrap_or(u32::MAX));
    }

    /// Adds the lines up to `end` of the first text, which both texts have.
    fn add_shared(&self, passage: &mut Passage, end: u32) {
        let added = passage.before.end..end;
        passage.after.end += added.end - added.start;
        passage.before.end = end;
        for line in &self.before[as_indices(&added)] {
            let piece = Piece {
                text: without_break(line).to_owned(),
                is_changed: false,
            };
            passage.lines.push(Line::new(Side::Both, line, vec![piece]));
        }
    }

    fn add_changed(&self, passage: &mut Passage, hunk: &Hunk) {
        passage.before.end = hunk.before.end;
        passage.after.end = hunk.after.end;
        let before = &self.before[as_indices(&hunk.before)];
        let after = &self.after[as_indices(&hunk.after)];
        let (before, after) = compared_words(before, after);
        passage.lines.extend(before);
        passage.lines.extend(after);
    }
}

impl Line {
    fn new(side: Side, line: &str, pieces: Vec<Piece>) -> Self {
        Self {
            side,
            pieces,
            is_unended: !line.ends_with('\n'),
        }
    }
}

fn as_indices(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

fn without_break(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// Marks the words that differ in two passages.
fn compared_words(before: &[&str], after: &[&str]) -> (Vec<Line>, Vec<Line>) {
    let (old, new) = (before.concat(), after.concat());
    let is_compared = old.len().max(new.len()) <= MAX_PASSAGE && !old.is_empty() && !new.is_empty();
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    if is_compared {
        let mut input: InternedInput<&str> = InternedInput::default();
        input.update_before(words(&old));
        input.update_after(words(&new));
        let diff = Diff::compute(Algorithm::Myers, &input);
        removed.extend(
            (0..)
                .zip(words(&old))
                .map(|(at, word)| (word, diff.is_removed(at))),
        );
        added.extend(
            (0..)
                .zip(words(&new))
                .map(|(at, word)| (word, diff.is_added(at))),
        );
    } else {
        removed.extend(before.iter().map(|line| (*line, true)));
        added.extend(after.iter().map(|line| (*line, true)));
    }
    (
        in_lines(Side::Before, before, removed),
        in_lines(Side::After, after, added),
    )
}

/// Distributes marked words to the lines that they are from.
fn in_lines(side: Side, lines: &[&str], words: Vec<(&str, bool)>) -> Vec<Line> {
    let mut words = words.into_iter();
    let mut made = Vec::with_capacity(lines.len());
    for line in lines {
        let (mut pieces, mut taken): (Vec<Piece>, usize) = (Vec::new(), 0);
        while taken < line.len()
            && let Some((word, is_changed)) = words.next()
        {
            taken += word.len();
            let text = without_break(word);
            match pieces.last_mut() {
                Some(last) if last.is_changed == is_changed => last.text.push_str(text),
                _ if text.is_empty() => {}
                _ => pieces.push(Piece {
                    text: text.to_owned(),
                    is_changed,
                }),
            }
        }
        made.push(Line::new(side, line, pieces));
    }
    made
}

/// Divides a text into words, runs of blanks and single other characters; a line break ends a piece.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let class = |character: char| match character {
            '\n' => 0,
            _ if character.is_alphanumeric() => 1,
            _ if character.is_whitespace() => 2,
            _ => 3,
        };
        let is_single = class(first) == 0 || class(first) == 3;
        let end = if is_single {
            first.len_utf8()
        } else {
            rest.find(|character| class(character) != class(first))
                .unwrap_or(rest.len())
        };
        let (word, remainder) = rest.split_at(end);
        rest = remainder;
        Some(word)
    })
}

#[cfg(test)]
mod tests;
