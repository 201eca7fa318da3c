//! The context windows of known models, and requests that certainly exceed one.
//!
//! A provider rejects such a request, in a batch only after hours. A request is refused here only if it cannot fit:
//! without the tokenizer of its model, the number of its tokens is a lower bound.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::table::find;
use super::tokens::{count_exactly, tokenizer_of};
use synix_core::request::{Part, Request};

/// The maximum length of a token in bytes, apart from blanks. Those of known tokenizers are shorter on average by far.
const MAX_TOKEN_BYTES: u64 = 32;

#[derive(Debug, Deserialize)]
struct Table {
    providers: BTreeMap<String, ProviderWindows>,
}

#[derive(Debug, Deserialize)]
struct ProviderWindows {
    models: BTreeMap<String, u64>,
}

/// The built-in table. A test parses it, so the fallback to an empty table never happens.
static WINDOWS: LazyLock<BTreeMap<String, u64>> = LazyLock::new(|| {
    serde_json::from_str::<Table>(include_str!("windows.json")).map_or_else(
        |_| BTreeMap::new(),
        |table| {
            let providers = table.providers.into_values();
            providers.flat_map(|provider| provider.models).collect()
        },
    )
});

/// A request that does not fit into the context window of its model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the request has {}{tokens} tokens and model `{model}` takes at most {window} {}; set `max_input_tokens` if the transform is `reduce` or `group`, or cut the inputs with `chunk`{}",
    at_least(.estimated),
    .origin.name(role),
    .origin.advice(role)
)]
pub struct WindowExcess {
    /// The model.
    pub model: String,
    /// The number of input tokens.
    pub tokens: u64,
    /// Whether this number is a lower bound.
    pub estimated: bool,
    /// The context window in tokens.
    pub window: u64,
    /// Where this number comes from.
    pub origin: WindowOrigin,
    /// The name of the model role, for the advice.
    pub role: String,
}

/// Where the context window of a model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowOrigin {
    /// The pipeline file, which takes precedence.
    Role,
    /// The built-in table.
    Table,
}

impl WindowOrigin {
    fn name(self, role: &str) -> String {
        match self {
            Self::Role => format!("according to `models.{role}.context_window`"),
            Self::Table => "according to the table of synix".to_owned(),
        }
    }

    /// Returns how to continue if the number is wrong. Who wrote it into the file knows.
    fn advice(self, role: &str) -> String {
        match self {
            Self::Role => String::new(),
            Self::Table => {
                format!("; if the model takes more, set `models.{role}.context_window`")
            }
        }
    }
}

fn at_least(estimated: &bool) -> &'static str {
    if *estimated { "at least " } else { "" }
}

/// Returns the context window of a model in tokens, if it is known.
///
/// A dated version without an entry has that of its family, as with prices.
pub fn context_window(model: &str) -> Option<u64> {
    find(&WINDOWS, model).copied()
}

/// Refuses a request of a model role that certainly exceeds the context window of its model: `configured` tokens, or
/// without it the number of the built-in table.
///
/// Only the texts of messages count: how a provider counts images and schemas is its own matter.
pub fn check_window(
    request: &Request,
    role: &str,
    configured: Option<u64>,
) -> Result<(), WindowExcess> {
    let (window, origin) = match (configured, context_window(&request.model)) {
        (Some(window), _) => (window, WindowOrigin::Role),
        (None, Some(window)) => (window, WindowOrigin::Table),
        (None, None) => return Ok(()),
    };
    // A token has at least one byte, and most requests are smaller than this.
    if texts(request).map(|text| text.len() as u64).sum::<u64>() <= window {
        return Ok(());
    }
    let excess = |tokens, estimated| WindowExcess {
        model: request.model.clone(),
        tokens,
        estimated,
        window,
        origin,
        role: role.to_owned(),
    };
    // It is much faster than a tokenizer, and whatever it refuses does not fit.
    let least = texts(request).map(least_tokens).sum::<u64>();
    if least > window {
        return Err(excess(least, true));
    }
    let Some(tokenizer) = tokenizer_of(request) else {
        return Ok(());
    };
    let tokens = texts(request)
        .map(|text| count_exactly(tokenizer, text))
        .sum::<u64>();
    if tokens > window {
        return Err(excess(tokens, false));
    }
    Ok(())
}

fn texts(request: &Request) -> impl Iterator<Item = &str> {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    parts.filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Image { .. } => None,
    })
}

/// Returns a number of tokens that no tokenizer goes below: it splits at blanks first, and no token is endless.
fn least_tokens(text: &str) -> u64 {
    let length = |word: &str| (word.len() as u64).div_ceil(MAX_TOKEN_BYTES);
    text.split_ascii_whitespace().map(length).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use synix_core::request::{Message, Role, Wire};

    /// Checks a request of a role without a window of its own.
    fn check(request: &Request) -> Result<(), WindowExcess> {
        check_window(request, "default", None)
    }

    fn request(wire: Wire, model: &str, text: String) -> Request {
        Request {
            kind: synix_core::request::RequestKind::Completion,
            wire,
            provider: "p".to_owned(),
            model: model.to_owned(),
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::Text(text)],
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

    #[test]
    fn every_model_of_the_windows_has_a_price() {
        assert!(WINDOWS.len() > 25);
        for (model, window) in &*WINDOWS {
            assert!((8_000..2_000_000).contains(window), "{model}");
            assert!(
                super::super::Prices::default().get(model).is_ok(),
                "{model}"
            );
        }
    }

    #[test]
    fn a_dated_version_has_the_window_of_its_family_and_a_stranger_has_none() {
        assert_eq!(context_window("gpt-4o-mini-2024-07-18"), Some(128_000));
        assert_eq!(context_window("claude-haiku-4-5-20251001"), Some(200_000));
        assert_eq!(context_window("gpt-4o-audio-preview"), None);
        let huge = request(Wire::OpenAi, "my-model", "word ".repeat(3_000_000));
        assert_eq!(check(&huge), Ok(()));
    }

    /// ` word` is one token of each of OpenAI's tokenizers.
    #[test]
    fn a_request_is_refused_from_the_first_token_beyond_the_window() {
        let of = |count| request(Wire::OpenAi, "gpt-4", " word".repeat(count));
        assert_eq!(check(&of(8192)), Ok(()));
        let excess = check(&of(8193)).unwrap_err();
        assert_eq!((excess.tokens, excess.window), (8193, 8192));
    }

    #[test]
    fn the_refusal_names_the_sizes_and_what_to_do() {
        let text = "\u{6f22}\u{5b57}".repeat(8192);
        let excess = check(&request(Wire::OpenAi, "gpt-4", text)).unwrap_err();
        assert!(!excess.estimated && excess.tokens > 8192);
        assert_eq!(
            excess.to_string(),
            format!(
                "the request has {} tokens and model `gpt-4` takes at most 8192 according to the table of synix; set `max_input_tokens` if the transform is `reduce` or `group`, or cut the inputs with `chunk`; if the model takes more, set `models.default.context_window`",
                excess.tokens
            )
        );
    }

    #[test]
    fn the_window_of_the_role_takes_precedence_over_the_table() {
        let of = |count| request(Wire::OpenAi, "gpt-4", " word".repeat(count));
        assert_eq!(check_window(&of(8193), "large", Some(8193)), Ok(()));
        let excess = check_window(&of(101), "large", Some(100)).unwrap_err();
        assert_eq!((excess.tokens, excess.window), (101, 100));
        assert_eq!(
            excess.to_string(),
            "the request has at least 101 tokens and model `gpt-4` takes at most 100 according to `models.large.context_window`; set `max_input_tokens` if the transform is `reduce` or `group`, or cut the inputs with `chunk`"
        );
        // A model that is not in the table is checked as well.
        let unknown = request(Wire::OpenAi, "my-model", "word ".repeat(101));
        assert!(check_window(&unknown, "large", Some(100)).is_err());
        assert_eq!(check_window(&unknown, "large", Some(101)), Ok(()));
    }

    /// The tokenizers of these models are not public.
    #[test]
    fn without_a_tokenizer_only_what_cannot_fit_is_refused() {
        let of = |text: String| check(&request(Wire::Anthropic, "claude-haiku-4-5", text));
        assert_eq!(of("word ".repeat(200_000)), Ok(()));
        let excess = of("word ".repeat(200_001)).unwrap_err();
        assert!(excess.estimated);
        assert!(excess.to_string().contains("has at least 200001 tokens"));
        // Blanks may be few tokens, however many there are.
        assert_eq!(of(" \n".repeat(5_000_000)), Ok(()));
        assert_eq!(of("-".repeat(6_400_000)), Ok(()));
    }
}
