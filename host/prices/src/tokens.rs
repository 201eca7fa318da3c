//! Counts or estimates the input tokens of a request before it is sent.
//!
//! If OpenAI's tokenizer for the model is known, it counts the tokens. Otherwise the number is marked as an estimate. A
//! tokenizer is loaded when the first text is counted, so that other commands do not wait for it.

use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

use super::encodings::{CL100K_BASE, O200K_BASE};
use super::images::{UncountedImage, count_image_tokens};
use synix_core::request::{Part, Request, Wire};

/// The tokens that OpenAI's chat format adds to each message, including its role, and to the reply.
const TOKENS_PER_MESSAGE: u64 = 4;
const TOKENS_PER_REPLY: u64 = 3;

/// The members of `options` whose text is part of the prompt.
const PROMPT_OPTIONS: [&str; 5] = [
    "functions",
    "output_config",
    "response_format",
    "system",
    "tools",
];

/// The maximum length of a run of blanks, or of other characters, that is counted in one piece, in bytes.
///
/// The tokenizer's regular expression backtracks over a run of blanks and panics at its backtracking limit.
const MAX_RUN_BYTES: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InputTokens {
    pub(super) tokens: u64,
    pub(super) estimated: bool,
}

/// Counts the input tokens of a request.
pub(super) fn count_input_tokens(request: &Request) -> Result<InputTokens, UncountedImage> {
    let tokenizer = tokenizer_of(request);
    let count = |text: &str| match tokenizer {
        Some(tokenizer) => count_exactly(tokenizer, text),
        None => estimate(text),
    };
    let mut estimated = tokenizer.is_none();
    if request.kind.is_embedding() {
        let tokens = count(request.text());
        return Ok(InputTokens { tokens, estimated });
    }
    let mut tokens = TOKENS_PER_REPLY;
    for message in &request.messages {
        tokens += TOKENS_PER_MESSAGE;
        for part in &message.parts {
            match part {
                Part::Text(text) => tokens += count(text),
                Part::Image { data, .. } => {
                    estimated = true;
                    tokens = tokens.saturating_add(count_image_tokens(&request.model, data)?);
                }
            }
        }
    }
    let options = PROMPT_OPTIONS
        .iter()
        .filter_map(|name| request.options.get(*name));
    for value in request.response_format.iter().chain(options) {
        // Providers do not document how they insert a schema into the prompt.
        estimated = true;
        tokens += count(&value.to_string());
    }
    Ok(InputTokens { tokens, estimated })
}

/// Returns the tokenizer of a request's model, if it is known.
pub(super) fn tokenizer_of(request: &Request) -> Option<&'static CoreBPE> {
    tokenizer_of_model(request.wire, &request.model)
}

/// Returns the tokenizer of a model, if it is known.
pub(super) fn tokenizer_of_model(wire: Wire, model: &str) -> Option<&'static CoreBPE> {
    match wire {
        Wire::OpenAi => get_tokenizer(model).and_then(load_encoding),
        Wire::Anthropic => None,
    }
}

fn load_encoding(tokenizer: Tokenizer) -> Option<&'static CoreBPE> {
    match tokenizer {
        // They differ only in their special tokens.
        Tokenizer::O200kBase | Tokenizer::O200kHarmony => Some(&O200K_BASE),
        Tokenizer::Cl100kBase => Some(&CL100K_BASE),
        Tokenizer::P50kBase | Tokenizer::R50kBase | Tokenizer::P50kEdit | Tokenizer::Gpt2 => None,
    }
}

pub(super) fn count_exactly(tokenizer: &CoreBPE, text: &str) -> u64 {
    split_long_runs(text)
        .map(|piece| tokenizer.count_ordinary(piece) as u64)
        .sum()
}

/// Splits a text inside runs of blanks, or of other characters, that are too long.
pub(super) fn split_long_runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut start, mut blank) = (0, None);
        let mut end = rest.len();
        for (at, character) in rest.char_indices() {
            let is_blank = character.is_whitespace();
            if blank != Some(is_blank) {
                (start, blank) = (at, Some(is_blank));
            } else if at - start >= MAX_RUN_BYTES {
                end = at;
                break;
            }
        }
        let (piece, remainder) = rest.split_at(end);
        rest = remainder;
        Some(piece)
    })
}

/// Assumes 3.5 ASCII characters per token and one token for each other character, rounded up.
pub(super) fn estimate(text: &str) -> u64 {
    let others = text
        .chars()
        .filter(|character| !character.is_ascii())
        .count() as u64;
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    (ascii * 2).div_ceil(7) + others
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use synix_core::request::{Message, Role};

    fn request(wire: Wire, model: &str, text: &str) -> Request {
        Request {
            kind: synix_core::request::RequestKind::Completion,
            wire,
            provider: "p".to_owned(),
            model: model.to_owned(),
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::Text(text.to_owned())],
            }],
            max_tokens: None,
            temperature: None,
            stop: Vec::new(),
            response_format: None,
            options: Map::new(),
            sample: 0,
            revision: String::new(),
        }
    }

    fn count(wire: Wire, model: &str, text: &str) -> (u64, bool) {
        let counted = count_input_tokens(&request(wire, model, text)).unwrap();
        (counted.tokens, counted.estimated)
    }

    /// M9: the two encodings give different numbers for this text.
    #[test]
    fn an_openai_model_is_counted_with_its_own_encoding() {
        let text = "Объясни, как устроен кэш.";
        let (new, old) = (
            count(Wire::OpenAi, "gpt-4o-mini", text),
            count(Wire::OpenAi, "gpt-4", text),
        );
        assert!(!new.1 && !old.1);
        assert!(new.0 < old.0, "{new:?} {old:?}");
        assert_eq!(
            count(Wire::OpenAi, "gpt-4o-mini", "hello world"),
            (TOKENS_PER_REPLY + TOKENS_PER_MESSAGE + 2, false)
        );
    }

    #[test]
    fn the_number_for_other_models_is_an_estimate() {
        let (tokens, estimated) = count(Wire::Anthropic, "claude-haiku-4-5", "1234567 ");
        assert_eq!(
            (tokens, estimated),
            (TOKENS_PER_REPLY + TOKENS_PER_MESSAGE + 3, true)
        );
        assert!(count(Wire::OpenAi, "llama-4", "hello").1);
        assert!(count(Wire::Anthropic, "gpt-4o", "hello").1);
    }

    #[test]
    fn a_non_ascii_character_is_a_token_in_an_estimate() {
        assert_eq!(estimate("蓝天"), 2);
        assert_eq!(estimate(""), 0);
    }

    #[test]
    fn a_schema_is_counted_as_an_estimate() {
        let plain = request(Wire::OpenAi, "gpt-4o", "hello");
        let mut with_schema = plain.clone();
        with_schema.response_format = Some(json!({"type": "object"}));
        let (plain, with_schema) = (
            count_input_tokens(&plain).unwrap(),
            count_input_tokens(&with_schema).unwrap(),
        );
        assert!(with_schema.tokens > plain.tokens);
        assert!(with_schema.estimated && !plain.estimated);
    }

    #[test]
    fn an_image_is_counted_as_an_estimate_or_not_at_all() {
        let with_image = |model, data: &str| {
            let mut request = request(Wire::OpenAi, model, "hello");
            request.messages[0].parts.push(Part::Image {
                media_type: "image/gif".to_owned(),
                data: data.to_owned(),
            });
            count_input_tokens(&request)
        };
        // GIF89a, 1024 by 512 pixels.
        let gif = "R0lGODlhAAQAAgAAAA==";
        let expected = InputTokens {
            tokens: TOKENS_PER_REPLY + TOKENS_PER_MESSAGE + 1 + 85 + 2 * 170,
            estimated: true,
        };
        assert_eq!(with_image("gpt-4o", gif), Ok(expected));
        assert_eq!(with_image("gpt-4o", "AA=="), Err(UncountedImage::NoSize));
        assert_eq!(with_image("llama-4", gif), Err(UncountedImage::NoRule));
    }

    /// The tokenizer alone would panic on the first of these texts.
    #[test]
    fn a_very_long_run_is_counted_in_pieces() {
        for run in [" ", "a", "ü", "^"] {
            let text = format!("{}x", run.repeat(2_000_000));
            assert!(count(Wire::OpenAi, "gpt-4o", &text).0 > 1000, "{run:?}");
        }
    }

    #[test]
    fn a_text_without_long_runs_is_one_piece() {
        let text = "Zwölf Boxkämpfer\n".repeat(10_000);
        assert_eq!(split_long_runs(&text).collect::<Vec<_>>(), [text.as_str()]);
        let run = "ü".repeat(5000);
        assert_eq!(split_long_runs(&run).collect::<String>(), run);
        assert_eq!(split_long_runs(&run).count(), 3);
    }
}
