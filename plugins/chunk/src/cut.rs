//! Cuts a text into pieces of a bounded size.
//!
//! A piece begins with the text that it repeats from the previous piece. The rest of it is new text, which begins where
//! the previous piece ended. The new texts of all pieces together are the whole text.

use std::ops::Range;

/// The rule for cutting a text. A size is the sum of the weights of characters.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// The maximum size of a piece.
    pub(crate) size: usize,
    /// The maximum size of the text that a piece repeats from the previous one; less than `size` by at least the weight
    /// of a character.
    pub(crate) overlap: usize,
    /// The weight of a character.
    pub(crate) weight: fn(char) -> usize,
    /// The texts after which to cut, the best first.
    pub(crate) separators: Vec<String>,
}

/// A piece, in bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where the piece begins.
    pub(crate) start: usize,
    /// Where its new text begins.
    pub(crate) added: usize,
    /// Where the piece ends.
    pub(crate) end: usize,
}

/// Where a piece may end.
struct Window {
    least: usize,
    most: usize,
}

impl Rule {
    /// Cuts a range of `text` and appends its pieces. An empty range has none.
    pub(crate) fn cut(&self, text: &str, range: Range<usize>, pieces: &mut Vec<Piece>) {
        let mut added = range.start;
        while added < range.end {
            let start = self.start(text, range.start, added);
            let window = self.window(text, start, range.end);
            let end = if window.most == range.end {
                range.end
            } else {
                self.end(text, start, &window)
            };
            pieces.push(Piece { start, added, end });
            added = end;
        }
    }

    /// Returns where a piece begins: at a word, unless that would lose more than half of the overlap.
    fn start(&self, text: &str, floor: usize, added: usize) -> usize {
        let mut weight = 0;
        let mut start = added;
        for (at, character) in text[floor..added].char_indices().rev() {
            weight += (self.weight)(character);
            if weight > self.overlap {
                break;
            }
            start = floor + at;
        }
        let half = start + (added - start) / 2;
        let mut after_space = text[floor..start].ends_with(char::is_whitespace);
        for (at, character) in text[start..added].char_indices() {
            if start + at > half {
                break;
            }
            if after_space && !character.is_whitespace() {
                return start + at;
            }
            after_space = character.is_whitespace();
        }
        start
    }

    /// A piece is at least half full, so that there are few pieces, and is longer than the overlap of the next one.
    fn window(&self, text: &str, start: usize, ceiling: usize) -> Window {
        let needed = self.size.div_ceil(2).max(self.overlap.saturating_add(1));
        let mut weight = 0;
        let mut least = None;
        let mut most = start;
        for (at, character) in text[start..ceiling].char_indices() {
            weight += (self.weight)(character);
            if weight > self.size {
                break;
            }
            most = start + at + character.len_utf8();
            if weight >= needed {
                least.get_or_insert(most);
            }
        }
        Window {
            least: least.unwrap_or(most),
            most,
        }
    }

    fn end(&self, text: &str, start: usize, window: &Window) -> usize {
        let within = &text[start..window.most];
        for separator in &self.separators {
            let end = within
                .rfind(separator.as_str())
                .map(|at| start + at + separator.len());
            if let Some(end) = end.filter(|end| *end >= window.least) {
                return end;
            }
        }
        let splits_line_break = within.ends_with('\r') && text[window.most..].starts_with('\n');
        if splits_line_break && window.most > window.least {
            window.most - 1
        } else {
            window.most
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(size: usize, overlap: usize, separators: &[&str]) -> Rule {
        Rule {
            size,
            overlap,
            weight: |_| 1,
            separators: separators.iter().map(|&one| one.to_owned()).collect(),
        }
    }

    fn pieces<'a>(rule: &Rule, text: &'a str) -> Vec<&'a str> {
        let mut pieces = Vec::new();
        rule.cut(text, 0..text.len(), &mut pieces);
        pieces
            .iter()
            .map(|piece| &text[piece.start..piece.end])
            .collect()
    }

    #[test]
    fn the_first_separator_that_leaves_a_piece_half_full_is_cut_after() {
        let rule = rule(12, 0, &["\n", " "]);
        assert_eq!(
            pieces(&rule, "one two\nthree four five"),
            ["one two\n", "three four ", "five"]
        );
        assert_eq!(
            pieces(&rule, "a\nbcd efg hij klm"),
            ["a\nbcd efg ", "hij klm"]
        );
    }

    #[test]
    fn a_word_that_is_longer_than_a_piece_is_cut_where_the_piece_is_full() {
        assert_eq!(
            pieces(&rule(4, 0, &[" "]), "abcdefghij"),
            ["abcd", "efgh", "ij"]
        );
    }

    #[test]
    fn an_overlap_begins_at_a_word_if_possible() {
        let text = "alpha beta gamma delta";
        assert_eq!(
            pieces(&rule(12, 7, &[" "]), text),
            ["alpha beta ", "beta gamma ", "gamma delta"]
        );
        assert_eq!(
            pieces(&rule(4, 2, &[]), "abcdefgh"),
            ["abcd", "cdef", "efgh"]
        );
    }

    #[test]
    fn an_overlap_loses_at_most_half_of_its_size_for_a_word() {
        assert_eq!(
            pieces(&rule(12, 8, &[]), "abcdefghi jklmnop"),
            ["abcdefghi jk", "efghi jklmno", "jklmnop"]
        );
    }

    #[test]
    fn a_line_break_of_two_characters_is_not_split_if_possible() {
        assert_eq!(
            pieces(&rule(4, 0, &[]), "abc\r\ndef"),
            ["abc", "\r\nde", "f"]
        );
        assert_eq!(pieces(&rule(1, 0, &[]), "\r\n"), ["\r", "\n"]);
    }

    /// Texts that are difficult to cut: multi-byte characters, both forms of line breaks, very long words, the empty
    /// text.
    fn texts() -> impl Strategy<Value = String> {
        let words = prop_oneof![
            8 => "[a-zA-Z]{1,9}",
            4 => Just(" ".to_owned()),
            2 => Just("\n".to_owned()),
            2 => Just("\r\n".to_owned()),
            1 => Just("\n\n".to_owned()),
            1 => Just(". ".to_owned()),
            2 => "[äßéñ漢字рус\u{1f600}\u{1f469}\u{200d}\u{301}]{1,6}",
            1 => Just("ж".repeat(70)),
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
    }

    fn rules() -> impl Strategy<Value = Rule> {
        let separators = prop::collection::vec(
            prop::sample::select(vec!["\n\n", "\r\n", "\n", ". ", " ", "漢", "ab"]),
            0..4,
        );
        (1..60_usize, 0..60_usize, any::<bool>(), separators).prop_map(
            |(size, overlap, bytes, separators)| {
                let scale = if bytes { 4 } else { 1 };
                Rule {
                    size: size * scale,
                    overlap: (overlap % size) * scale,
                    weight: if bytes { char::len_utf8 } else { |_| 1 },
                    ..rule(1, 0, &separators)
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_new_texts_of_pieces_are_the_text_and_no_piece_exceeds_its_size(text in texts(), rule in rules()) {
            let mut pieces = Vec::new();
            rule.cut(&text, 0..text.len(), &mut pieces);
            let weigh = |range: Range<usize>| text[range].chars().map(rule.weight).sum::<usize>();
            let mut joined = String::new();
            let mut before: Option<Piece> = None;
            for piece in pieces {
                // Slicing panics if a cut is inside a character.
                joined.push_str(&text[piece.added..piece.end]);
                prop_assert!(piece.start <= piece.added && piece.added < piece.end);
                prop_assert!(weigh(piece.start..piece.end) <= rule.size);
                prop_assert!(weigh(piece.start..piece.added) <= rule.overlap);
                if let Some(before) = before {
                    prop_assert_eq!(piece.added, before.end);
                    prop_assert!(piece.start > before.start);
                }
                before = Some(piece);
            }
            prop_assert_eq!(joined, text);
        }
    }
}
