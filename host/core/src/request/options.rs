//! Which members of `options` only say how a model answers.
//!
//! The others reach further: tools and servers of the provider's own, other
//! models, other prices, what is kept there. A plugin gets them only from a
//! layer that names them.

use super::Wire;

/// How an answer is drawn and how long it may be, in the words of servers that speak OpenAI's format.
const OPENAI: [&str; 24] = [
    "chat_template_kwargs",
    "enable_thinking",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "min_p",
    "min_tokens",
    "n",
    "presence_penalty",
    "reasoning",
    "reasoning_effort",
    "repetition_penalty",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "thinking",
    "thinking_budget",
    "top_a",
    "top_k",
    "top_logprobs",
    "top_p",
];
/// What only newer models of OpenAI take.
const VERBOSITY: &str = "verbosity";
/// The same for Anthropic. A cache mark is priced.
const ANTHROPIC: [&str; 8] = [
    "cache_control",
    "effort",
    "max_tokens",
    "stop_sequences",
    "temperature",
    "thinking",
    "top_k",
    "top_p",
];

/// Says whether a member of `options` only says how the model answers.
pub fn is_sampling_option(wire: Wire, name: &str) -> bool {
    match wire {
        Wire::OpenAi => name == VERBOSITY || OPENAI.contains(&name),
        Wire::Anthropic => ANTHROPIC.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W15: what reaches beyond the answer, or is not priced.
    #[test]
    fn what_reaches_beyond_the_answer_is_no_sampling() {
        for wire in [Wire::OpenAi, Wire::Anthropic] {
            for far in [
                "tools",
                "tool_choice",
                "functions",
                "mcp_servers",
                "models",
                "plugins",
                "provider",
                "route",
                "service_tier",
                "store",
                "metadata",
                "web_search_options",
                "modalities",
                "prediction",
                "user",
                "container",
                "extra_body",
                "TOP_P",
                "",
            ] {
                assert!(!is_sampling_option(wire, far), "{far}");
            }
            assert!(is_sampling_option(wire, "top_p"));
        }
        assert!(is_sampling_option(Wire::OpenAi, "seed"));
        assert!(!is_sampling_option(Wire::Anthropic, "seed"));
    }
}
