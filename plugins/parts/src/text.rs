//! Cuts one text that is too large: between paragraphs, or else lines, sentences, words and characters.

use crate::boundaries::{Element, parts, priority};
use crate::tokens::{TOKEN, weight};

/// The texts after which to cut, the best first.
const SEPARATORS: [&str; 7] = ["\n\n", "\n", ". ", "? ", "! ", "。", " "];

/// Cuts a text into pieces of at most `limit` tokens by estimate; together they are the text.
///
/// Where it is cut depends on the text around the cut, so an edit changes the piece that it is in.
pub fn pieces(text: &str, limit: usize) -> Vec<&str> {
    let limit = limit.max(1).saturating_mul(TOKEN);
    let mut atoms = Vec::new();
    cut(text, limit, &SEPARATORS, &mut atoms);
    let elements: Vec<Element> = atoms
        .iter()
        .map(|atom| Element {
            size: size(atom),
            priority: priority(atom),
        })
        .collect();
    let mut at = 0;
    parts(&elements, limit)
        .into_iter()
        .map(|part| {
            let length: usize = atoms[part].iter().map(|atom| atom.len()).sum();
            let piece = &text[at..at + length];
            at += length;
            piece
        })
        .collect()
}

fn size(text: &str) -> usize {
    text.chars().map(weight).sum()
}

/// Cuts a text after each occurrence of the first separator, and what is still too large after the next one.
fn cut<'t>(text: &'t str, limit: usize, separators: &[&str], atoms: &mut Vec<&'t str>) {
    let Some((separator, others)) = separators.split_first() else {
        return cut_anywhere(text, limit, atoms);
    };
    for atom in text.split_inclusive(separator) {
        if size(atom) <= limit {
            atoms.push(atom);
        } else {
            cut(atom, limit, others, atoms);
        }
    }
}

fn cut_anywhere<'t>(text: &'t str, limit: usize, atoms: &mut Vec<&'t str>) {
    let (mut start, mut sum) = (0, 0);
    for (at, character) in text.char_indices() {
        let own = weight(character);
        if sum + own > limit && at > start {
            atoms.push(&text[start..at]);
            (start, sum) = (at, 0);
        }
        sum += own;
    }
    atoms.push(&text[start..]);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::tokens::estimate;

    fn paragraphs(count: usize) -> String {
        let paragraph = |number| format!("Paragraph {number} tells what happened that day.\n\n");
        (0..count).map(paragraph).collect()
    }

    #[test]
    fn a_text_is_cut_between_paragraphs_if_they_fit() {
        let text = paragraphs(60);
        let pieces = pieces(&text, 100);
        assert!(pieces.len() > 3);
        assert!(pieces.iter().all(|piece| piece.ends_with("\n\n")));
    }

    #[test]
    fn a_paragraph_that_does_not_fit_is_cut_after_a_sentence_and_a_sentence_after_a_word() {
        let sentences = "It rained all day. ".repeat(40);
        let cut = pieces(&sentences, 30);
        assert!(cut.iter().all(|piece| piece.ends_with(". ")));
        let words = "rain ".repeat(200);
        assert!(pieces(&words, 30).iter().all(|piece| piece.ends_with(' ')));
    }

    #[test]
    fn an_edit_changes_few_pieces() {
        let before = paragraphs(400);
        let after = before.replace("Paragraph 200 tells", "Paragraph 200 now tells");
        let old: BTreeSet<&str> = pieces(&before, 200).into_iter().collect();
        let new: BTreeSet<&str> = pieces(&after, 200).into_iter().collect();
        assert!(old.len() > 15);
        assert!(new.difference(&old).count() <= 3);
    }

    proptest! {
        #[test]
        fn pieces_are_the_text_and_fit(text in "[a-z .\n漢\u{1f600}]{0,400}", limit in 4..40_usize) {
            let pieces = pieces(&text, limit);
            prop_assert_eq!(pieces.concat(), text.as_str());
            for piece in pieces {
                prop_assert!(!piece.is_empty() && estimate(piece) <= limit);
            }
        }
    }
}
