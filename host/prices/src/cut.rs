//! Cuts texts for embeddings to the length that their model takes.
//!
//! A provider rejects a longer text, in a batch only after hours. The cut is part of the request, so it must be the same
//! everywhere: it depends on the text, the model and the window alone.

use tiktoken_rs::CoreBPE;

use super::tokens::{count_exactly, estimate, split_long_runs, tokenizer_of_model};
use super::window::context_window;
use synix_core::request::Wire;

/// Returns the start of a text that fits into the window of a model: `configured` tokens, or without it the number of
/// the built-in table. A text for a model with an unknown window stays whole.
///
/// The cut is at a character boundary. Without the tokenizer of the model, the number of tokens is an estimate.
pub fn cut_to_window<'t>(
    text: &'t str,
    wire: Wire,
    model: &str,
    configured: Option<u64>,
) -> &'t str {
    let Some(window) = configured.or_else(|| context_window(model)) else {
        return text;
    };
    // A token has at least one byte, and most texts are smaller than this.
    if text.len() as u64 <= window {
        return text;
    }
    match tokenizer_of_model(wire, model) {
        Some(tokenizer) => cut_exactly(tokenizer, text, window),
        None => cut_by_estimate(text, window),
    }
}

fn cut_exactly<'t>(tokenizer: &CoreBPE, text: &'t str, window: u64) -> &'t str {
    let mut end = prefix_of_tokens(tokenizer, text, window);
    // A cut inside a word can give it other tokens, and more of them.
    loop {
        let cut = &text[..end];
        let tokens = count_exactly(tokenizer, cut);
        if tokens <= window || cut.is_empty() {
            return cut;
        }
        end = prefix_of_tokens(tokenizer, cut, window.saturating_sub(tokens - window));
        if end == cut.len() {
            end = text.floor_char_boundary(end - 1);
        }
    }
}

/// Returns the number of bytes of the first `count` tokens, without the start of a character.
fn prefix_of_tokens(tokenizer: &CoreBPE, text: &str, count: u64) -> usize {
    let mut left = usize::try_from(count).unwrap_or(usize::MAX);
    let mut bytes = 0;
    for piece in split_long_runs(text) {
        let tokens = tokenizer.encode_ordinary(piece);
        if tokens.len() <= left {
            left -= tokens.len();
            bytes += piece.len();
            continue;
        }
        let taken = tokens.get(..left).unwrap_or_default();
        let length: usize = taken
            .iter()
            .map(|token| {
                tokenizer
                    .decode_bytes(&[*token])
                    .map_or(0, |part| part.len())
            })
            .sum();
        bytes += length;
        break;
    }
    text.floor_char_boundary(bytes)
}

fn cut_by_estimate(text: &str, window: u64) -> &str {
    // The estimate of a start grows with its length, so the longest one is found by halving.
    let (mut fits, mut too_long) = (0, text.len() + 1);
    while too_long - fits > 1 {
        let middle = fits + (too_long - fits) / 2;
        if estimate(&text[..text.floor_char_boundary(middle)]) <= window {
            fits = middle;
        } else {
            too_long = middle;
        }
    }
    &text[..text.floor_char_boundary(fits)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: &str = "text-embedding-3-small";

    fn tokens(text: &str) -> u64 {
        let tokenizer = tokenizer_of_model(Wire::OpenAi, SMALL).unwrap();
        count_exactly(tokenizer, text)
    }

    #[test]
    fn a_text_is_cut_to_the_window_of_its_model() {
        let long = "word ".repeat(10_000);
        let cut = cut_to_window(&long, Wire::OpenAi, SMALL, None);
        assert!(long.starts_with(cut));
        assert!((8100..=8191).contains(&tokens(cut)), "{}", tokens(cut));
    }

    #[test]
    fn a_text_that_fits_stays_whole() {
        let text = "word ".repeat(8000);
        assert_eq!(cut_to_window(&text, Wire::OpenAi, SMALL, None), text);
        let long = "word ".repeat(100_000);
        assert_eq!(cut_to_window(&long, Wire::OpenAi, "unknown", None), long);
    }

    #[test]
    fn the_window_of_the_role_takes_precedence() {
        let text = "abc ".repeat(100);
        let cut = cut_to_window(&text, Wire::OpenAi, SMALL, Some(10));
        assert!((5..=10).contains(&tokens(cut)));
        let cut = cut_to_window(&text, Wire::OpenAi, "unknown", Some(10));
        assert_eq!(cut.len(), 35);
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_is_a_start(text in "(\\PC| |ä|日|🌍){0,200}", window in 0_u64..60) {
            let cut = cut_to_window(&text, Wire::OpenAi, SMALL, Some(window));
            prop_assert!(text.starts_with(cut));
            prop_assert!(tokens(cut) <= window);
            let cut = cut_to_window(&text, Wire::OpenAi, "unknown", Some(window));
            prop_assert!(text.starts_with(cut));
        }
    }
}
