//! Cuts texts so that a tokenizer which expects spaces between words can index every script.
//!
//! Chinese, Japanese, Thai and their like put no space between words, and Korean puts endings on them. A run of such
//! characters becomes overlapping pairs, and the last character alone: `東京都` becomes `東京 京都 都`. A word of two or
//! more characters is then a phrase of pairs. All single characters follow at the end of the text, for queries of one
//! character. Symbols such as emoji become words of their own.

use std::borrow::Cow;
use std::ops::Range;

use crate::characters::{is_mark, is_spaceless, is_symbol};

/// A cut text, and where each word in it comes from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Segments {
    /// The text for the tokenizer.
    pub(crate) text: String,
    /// Ranges of `text`, in order, with the ranges of the original that they stand for.
    origins: Vec<(Range<usize>, Range<usize>)>,
}

impl Segments {
    pub(crate) fn of(text: &str) -> Self {
        let mut segments = Self::default();
        for piece in pieces(text, End::OfText) {
            let start = segments.text.len();
            segments.text.push_str(&piece.text);
            let range = start..segments.text.len();
            segments.origins.push((range, piece.origin));
            if piece.is_word {
                segments.text.push(' ');
            }
        }
        segments
    }

    /// Returns the range of the original that a range of the cut text stands for.
    pub(crate) fn origin(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let first = self
            .origins
            .partition_point(|(of, _)| of.end <= range.start);
        let mut found: Option<Range<usize>> = None;
        for (of, from) in self.origins.iter().skip(first) {
            if of.start >= range.end {
                break;
            }
            // A piece that was not cut is as long as its original.
            let part = if of.len() == from.len() {
                let start = range.start.max(of.start) - of.start;
                let end = range.end.min(of.end) - of.start;
                from.start + start..from.start + end
            } else {
                from.clone()
            };
            found = Some(match found {
                Some(found) => found.start.min(part.start)..found.end.max(part.end),
                None => part,
            });
        }
        found
    }
}

/// Returns the text for the tokenizer.
pub(crate) fn segment(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut cut = String::with_capacity(text.len() * 2);
    for piece in pieces(text, End::OfText) {
        cut.push_str(&piece.text);
        if piece.is_word {
            cut.push(' ');
        }
    }
    Cow::Owned(cut)
}

/// The words of a query, cut like a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueryWords {
    pub(crate) text: String,
    /// Whether the last word is the beginning of a pair.
    pub(crate) is_prefix: bool,
}

/// Cuts the words of a query, which may begin and end within a run.
pub(crate) fn segment_query(text: &str) -> QueryWords {
    let mut words = QueryWords {
        text: String::new(),
        is_prefix: false,
    };
    let all = pieces(text, End::OfQuery);
    let count = all.len();
    for (position, piece) in all.into_iter().enumerate() {
        let is_single = piece.is_word && piece.text.chars().nth(1).is_none();
        // A single character at the end of a longer phrase is the beginning of a pair in the text.
        let is_spaceless = piece.text.chars().all(is_spaceless);
        words.is_prefix = position + 1 == count && position > 0 && is_single && is_spaceless;
        words.text.push_str(&piece.text);
        if piece.is_word {
            words.text.push(' ');
        }
    }
    words
}

/// Where the runs end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A text: the last character of a run is followed by something else, and single characters come at the end.
    OfText,
    /// A query: in the text, its last run may go on.
    OfQuery,
}

/// A part of a cut text.
struct Piece<'t> {
    text: Cow<'t, str>,
    origin: Range<usize>,
    /// Whether the tokenizer needs a space after it.
    is_word: bool,
}

/// A character of a run, with the marks that follow it.
struct RunCharacter {
    character: char,
    origin: Range<usize>,
}

fn pieces(text: &str, end: End) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut singles = Vec::new();
    let mut run: Vec<RunCharacter> = Vec::new();
    let mut plain = 0..0;
    for (at, character) in text.char_indices() {
        let after = at + character.len_utf8();
        if is_spaceless(character) {
            push_plain(text, &mut plain, &mut found);
            run.push(RunCharacter {
                character,
                origin: at..after,
            });
        } else if !run.is_empty() && is_mark(character) {
            if let Some(last) = run.last_mut() {
                last.origin.end = after;
            }
        } else {
            push_run(&mut run, false, end, &mut found, &mut singles);
            if is_symbol(character) {
                push_plain(text, &mut plain, &mut found);
                found.push(separator(at));
                found.push(word(character.to_string(), at..after));
            } else {
                if plain.start == plain.end {
                    plain.start = at;
                }
                plain.end = after;
            }
        }
    }
    push_plain(text, &mut plain, &mut found);
    push_run(&mut run, true, end, &mut found, &mut singles);
    if !singles.is_empty() {
        found.push(separator(text.len()));
        found.append(&mut singles);
    }
    found
}

fn word<'t>(text: String, origin: Range<usize>) -> Piece<'t> {
    Piece {
        text: Cow::Owned(text),
        origin,
        is_word: true,
    }
}

fn separator<'t>(at: usize) -> Piece<'t> {
    word(String::new(), at..at)
}

fn push_plain<'t>(text: &'t str, plain: &mut Range<usize>, found: &mut Vec<Piece<'t>>) {
    if plain.start < plain.end {
        found.push(Piece {
            text: Cow::Borrowed(&text[plain.clone()]),
            origin: plain.clone(),
            is_word: false,
        });
    }
    *plain = 0..0;
}

fn push_run<'t>(
    run: &mut Vec<RunCharacter>,
    is_last: bool,
    end: End,
    found: &mut Vec<Piece<'t>>,
    singles: &mut Vec<Piece<'t>>,
) {
    if run.is_empty() {
        return;
    }
    if !found.is_empty() {
        let at = run.first().map_or(0, |first| first.origin.start);
        found.push(separator(at));
    }
    for pair in run.windows(2) {
        let [first, second] = pair else { continue };
        found.push(word(
            [first.character, second.character].iter().collect(),
            first.origin.start..second.origin.end,
        ));
    }
    let is_open = end == End::OfQuery && is_last && run.len() > 1;
    if let Some(last) = run.last().filter(|_| !is_open) {
        found.push(word(last.character.to_string(), last.origin.clone()));
    }
    for one in run.drain(..) {
        if end == End::OfText {
            singles.push(word(one.character.to_string(), one.origin));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> String {
        let words: Vec<String> = segment(text)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        words.join(" ")
    }

    #[test]
    fn runs_become_pairs_and_single_characters() {
        assert_eq!(cut("plain, text_of é"), "plain, text_of é");
        assert_eq!(cut("東京都"), "東京 京都 都 東 京 都");
        assert_eq!(cut("in 東京."), "in 東京 京 . 東 京");
        assert_eq!(cut("서울에서"), "서울 울에 에서 서 서 울 에 서");
        assert_eq!(cut("done🎉now"), "done 🎉 now");
        assert_eq!(cut("น้ำ"), "นำ ำ น ำ");
    }

    #[test]
    fn a_query_ends_within_a_run() {
        let query = |text: &str| {
            let words = segment_query(text);
            (words.text.trim().to_owned(), words.is_prefix)
        };
        assert_eq!(query("東"), ("東".to_owned(), false));
        assert_eq!(query("東京"), ("東京".to_owned(), false));
        assert_eq!(query("東京都"), ("東京 京都".to_owned(), false));
        assert_eq!(query("2024年"), ("2024 年".to_owned(), true));
        assert_eq!(query("第3章"), ("第 3 章".to_owned(), true));
    }

    #[test]
    fn a_word_leads_back_to_its_place_in_the_text() {
        let text = "in 東京都: é";
        let segments = Segments::of(text);
        for (word, original) in [("京都", "京都"), ("in", "in"), ("é", "é")] {
            let at = segments.text.find(word).unwrap();
            let range = segments.origin(&(at..at + word.len())).unwrap();
            assert_eq!(&text[range], original);
        }
        let at = segments.text.find("東京").unwrap();
        let both = at..segments.text.find("京都").unwrap() + "京都".len();
        assert_eq!(&text[segments.origin(&both).unwrap()], "東京都");
    }

    proptest! {
        #[test]
        fn every_origin_is_a_part_of_the_text(text: String) {
            let segments = Segments::of(&text);
            let cut = segment(&text);
            prop_assert_eq!(segments.text.trim_end(), cut.trim_end());
            for (range, _) in &segments.origins {
                if let Some(origin) = segments.origin(range) {
                    prop_assert!(text.get(origin).is_some());
                }
            }
        }
    }
}
