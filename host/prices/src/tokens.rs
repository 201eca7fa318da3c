//! How many input tokens a request has, before any provider counted them.
//!
//! Where OpenAI's tokenizer for the model is known, the text is encoded with
//! it. Elsewhere the number is an estimate and says so. An encoding is loaded
//! when the first text is counted, so whoever counts nothing does not wait.

use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

use synix_core::request::{Part, Request, Wire};

/// What OpenAI's chat format adds to each message, the role included, and to the whole.
const OF_MESSAGE: u64 = 4;
const OF_REPLY: u64 = 3;

/// Members of `options` whose text is part of the prompt.
const IN_PROMPT: [&str; 5] = [
    "functions",
    "output_config",
    "response_format",
    "system",
    "tools",
];

/// An unbroken run of more bytes is counted in pieces.
///
/// The tokenizer's search goes back over a run of blanks, and panics at the limit of its patience.
const LONGEST_RUN: usize = 4096;

/// A number of input tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InputTokens {
    pub(super) tokens: u64,
    pub(super) estimated: bool,
}

/// Counts a request's input; `None` where it has a picture, which no rule here can count.
pub(super) fn input_tokens(request: &Request) -> Option<InputTokens> {
    let tokenizer = match request.wire {
        Wire::OpenAi => get_tokenizer(&request.model).and_then(encoding),
        Wire::Anthropic => None,
    };
    let count = |text: &str| match tokenizer {
        Some(tokenizer) => encoded(tokenizer, text),
        None => estimate(text),
    };
    let mut tokens = OF_REPLY;
    for message in &request.messages {
        tokens += OF_MESSAGE;
        for part in &message.parts {
            match part {
                Part::Text(text) => tokens += count(text),
                Part::Image { .. } => return None,
            }
        }
    }
    let mut estimated = tokenizer.is_none();
    let options = IN_PROMPT
        .iter()
        .filter_map(|name| request.options.get(*name));
    for value in request.response_format.iter().chain(options) {
        // How a provider writes a schema into the prompt is not published.
        estimated = true;
        tokens += count(&value.to_string());
    }
    Some(InputTokens { tokens, estimated })
}

fn encoding(tokenizer: Tokenizer) -> Option<&'static CoreBPE> {
    match tokenizer {
        Tokenizer::O200kBase => Some(tiktoken_rs::o200k_base_singleton()),
        Tokenizer::O200kHarmony => Some(tiktoken_rs::o200k_harmony_singleton()),
        Tokenizer::Cl100kBase => Some(tiktoken_rs::cl100k_base_singleton()),
        Tokenizer::P50kBase | Tokenizer::R50kBase | Tokenizer::P50kEdit | Tokenizer::Gpt2 => None,
    }
}

fn encoded(tokenizer: &CoreBPE, text: &str) -> u64 {
    pieces(text)
        .map(|piece| tokenizer.count_ordinary(piece) as u64)
        .sum()
}

/// Divides a text inside runs of blanks, or of anything else, that are too long.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
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
            } else if at - start >= LONGEST_RUN {
                end = at;
                break;
            }
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

/// 3.5 ASCII characters to a token, and a token for each other one, rounded up.
fn estimate(text: &str) -> u64 {
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
        let counted = input_tokens(&request(wire, model, text)).unwrap();
        (counted.tokens, counted.estimated)
    }

    /// M9: the two encodings differ here.
    #[test]
    fn a_model_of_openai_is_counted_with_its_own_encoding() {
        let text = "Объясни, как устроен кэш.";
        let (new, old) = (
            count(Wire::OpenAi, "gpt-4o-mini", text),
            count(Wire::OpenAi, "gpt-4", text),
        );
        assert!(!new.1 && !old.1);
        assert!(new.0 < old.0, "{new:?} {old:?}");
        assert_eq!(
            count(Wire::OpenAi, "gpt-4o-mini", "hello world"),
            (OF_REPLY + OF_MESSAGE + 2, false)
        );
    }

    #[test]
    fn elsewhere_the_number_is_an_estimate() {
        let (tokens, estimated) = count(Wire::Anthropic, "claude-haiku-4-5", "1234567 ");
        assert_eq!((tokens, estimated), (OF_REPLY + OF_MESSAGE + 3, true));
        assert!(count(Wire::OpenAi, "llama-4", "hello").1);
        assert!(count(Wire::Anthropic, "gpt-4o", "hello").1);
    }

    #[test]
    fn a_character_of_another_script_is_a_token_in_an_estimate() {
        assert_eq!(estimate("蓝天"), 2);
        assert_eq!(estimate(""), 0);
    }

    #[test]
    fn a_schema_is_counted_and_makes_the_number_an_estimate() {
        let plain = request(Wire::OpenAi, "gpt-4o", "hello");
        let mut with_schema = plain.clone();
        with_schema.response_format = Some(json!({"type": "object"}));
        let (plain, with_schema) = (
            input_tokens(&plain).unwrap(),
            input_tokens(&with_schema).unwrap(),
        );
        assert!(with_schema.tokens > plain.tokens);
        assert!(with_schema.estimated && !plain.estimated);
    }

    #[test]
    fn a_picture_cannot_be_counted() {
        let mut request = request(Wire::OpenAi, "gpt-4o", "hello");
        request.messages[0].parts.push(Part::Image {
            media_type: "image/png".to_owned(),
            data: "AA==".to_owned(),
        });
        assert_eq!(input_tokens(&request), None);
    }

    /// The tokenizer alone panics on the first of these.
    #[test]
    fn an_endless_run_is_counted_in_pieces() {
        for run in [" ", "a", "ü", "^"] {
            let text = format!("{}x", run.repeat(2_000_000));
            assert!(count(Wire::OpenAi, "gpt-4o", &text).0 > 1000, "{run:?}");
        }
    }

    #[test]
    fn a_text_without_long_runs_is_one_piece() {
        let text = "Zwölf Boxkämpfer\n".repeat(10_000);
        assert_eq!(pieces(&text).collect::<Vec<_>>(), [text.as_str()]);
        let run = "ü".repeat(5000);
        assert_eq!(pieces(&run).collect::<String>(), run);
        assert_eq!(pieces(&run).count(), 3);
    }
}
