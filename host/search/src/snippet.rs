//! What of an artifact is shown beside a result: a passage with the matched words, and where each term matched.

use std::ops::Range;

use serde::Serialize;

use crate::query::{Query, Term};
use crate::tokenizer::{PARTS, Texts, Tokenizer};

/// The size of a passage, in characters, and how many of them come before the first match.
const SNIPPET_CHARS: usize = 240;
const CHARS_BEFORE: usize = 60;

/// What stands for a text that is left out.
const ELLIPSIS: &str = "…";

/// A passage of an artifact in one line, with the matched words apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The parts of the passage, and whether each one matched.
    pub pieces: Vec<(String, bool)>,
}

impl Snippet {
    /// Returns the passage as a plain text.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|(text, _)| text.as_str()).collect()
    }

    /// Returns the passage of an artifact that shows the most matches.
    pub(crate) fn of(
        texts: &Texts,
        query: &Query,
        tokenizer: &Tokenizer,
    ) -> rusqlite::Result<Self> {
        let [_, title, content, metadata] = &texts.parts;
        let shown = [content, title, metadata];
        if let Some(marks) = query.marks() {
            for text in shown {
                let ranges = tokenizer.ranges(text, &marks)?;
                if !ranges.is_empty() {
                    return Ok(passage(text, &ranges));
                }
            }
        }
        let text = shown.into_iter().find(|text| !text.trim().is_empty());
        Ok(text.map_or_else(Self::default, |text| passage(text, &[])))
    }

    fn push(&mut self, text: &str, is_match: bool) {
        let ends_in_space =
            |pieces: &[(String, bool)]| pieces.last().is_none_or(|(text, _)| text.ends_with(' '));
        let mut line = String::new();
        for character in text.chars() {
            if !character.is_whitespace() {
                line.push(character);
            } else if !(line.ends_with(' ') || line.is_empty() && ends_in_space(&self.pieces)) {
                line.push(' ');
            }
        }
        if !line.is_empty() {
            self.pieces.push((line, is_match));
        }
    }
}

/// Returns the passage of a text that has the most of these ranges.
fn passage(text: &str, ranges: &[Range<usize>]) -> Snippet {
    let window = window(text, ranges);
    let mut snippet = Snippet::default();
    let is_cut = |part: &str| !part.trim().is_empty();
    if is_cut(&text[..window.start]) {
        snippet.push(ELLIPSIS, false);
    }
    let mut at = window.start;
    for range in ranges {
        if range.start >= at && range.end <= window.end {
            snippet.push(&text[at..range.start], false);
            snippet.push(&text[range.clone()], true);
            at = range.end;
        }
    }
    snippet.push(&text[at..window.end], false);
    if is_cut(&text[window.end..]) {
        snippet.push(ELLIPSIS, false);
    }
    snippet
}

fn window(text: &str, ranges: &[Range<usize>]) -> Range<usize> {
    let mut best = (0, 0);
    let mut last = 0;
    for (first, range) in ranges.iter().enumerate() {
        last = last.max(first);
        while let Some(next) = ranges.get(last)
            && text[range.start..next.end].chars().count() <= SNIPPET_CHARS - CHARS_BEFORE
        {
            last += 1;
        }
        if last - first > best.1 {
            best = (first, last - first);
        }
    }
    let first = ranges.get(best.0).map_or(0, |range| range.start);
    let before = text[..first].char_indices().rev().take(CHARS_BEFORE);
    let mut start = before.last().map_or(first, |(at, _)| at);
    // A passage begins with a whole word if one begins in time.
    if start > 0
        && let Some(space) = text[start..first].find(char::is_whitespace)
    {
        start += space;
    }
    let mut after = text[start..].char_indices().skip(SNIPPET_CHARS);
    let end = after.next().map_or(text.len(), |(at, _)| start + at);
    let longest = ranges.get(best.0).map_or(0, |range| range.end);
    start..end.max(longest.min(text.len()))
}

/// Where a term of the query matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermMatch {
    /// The term as it was typed.
    pub term: String,
    /// The parts of the artifact that have it: `label`, `title`, `content`, `metadata`.
    #[serde(rename = "in")]
    pub parts: Vec<&'static str>,
}

/// Returns where the terms of a query are in the texts that the tokenizer has taken. Terms that are nowhere are left out.
pub(crate) fn term_matches(
    query: &Query,
    tokenizer: &Tokenizer,
) -> rusqlite::Result<Vec<TermMatch>> {
    let mut found = Vec::new();
    for Term { text, expression } in query.terms() {
        let mut parts = Vec::new();
        for part in PARTS {
            if tokenizer.matches(&format!("{{{part}}} : ({expression})"))? {
                parts.push(part);
            }
        }
        if !parts.is_empty() {
            found.push(TermMatch {
                term: text.clone(),
                parts,
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snippet(content: &str, query: &str) -> Snippet {
        let tokenizer = Tokenizer::new().unwrap();
        let query = Query::parse(query, &tokenizer).unwrap();
        let mut texts = Texts::default();
        texts.parts[2] = content.to_owned();
        Snippet::of(&texts, &query, &tokenizer).unwrap()
    }

    #[test]
    fn a_passage_is_one_line_around_its_matches() {
        let content = format!(
            "{} Ann\n\n paints a house. {}",
            "before ".repeat(90),
            "after ".repeat(90)
        );
        let found = snippet(&content, "ann house");
        let matched: Vec<&str> = found
            .pieces
            .iter()
            .filter(|(_, is_match)| *is_match)
            .map(|(text, _)| text.as_str())
            .collect();
        assert_eq!(matched, ["Ann", "house"]);
        let text = found.text();
        assert!(text.starts_with("… before "), "{text}");
        assert!(text.contains("before Ann paints a house. after"), "{text}");
        assert!(text.ends_with("…"), "{text}");
        assert!(!text.contains('\n'));
        assert_eq!(snippet("short", "nothing").text(), "short");
        assert_eq!(snippet("", "nothing").text(), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_text_has_a_passage(content: String, word in "[a-z東京é ]{1,6}") {
            let content = format!("{content}{word}{content}");
            let text = snippet(&content, &word).text();
            prop_assert!(text.chars().count() <= SNIPPET_CHARS + 2 * word.len() + 2);
        }
    }
}
