//! The members of `options` that only control sampling.
//!
//! Other members can select tools, servers, other models, other prices or data retention at the provider. A plugin may
//! set them only if its layer lists them in `options_allowed`.

use super::Wire;

/// Sampling options and length limits of servers that use OpenAI's wire format.
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
/// Only newer models of OpenAI accept this option.
const VERBOSITY: &str = "verbosity";
/// The same for Anthropic. `cache_control` is safe because its price is known.
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

/// Returns whether a member of `options` only controls sampling.
pub fn is_sampling_option(wire: Wire, name: &str) -> bool {
    match wire {
        Wire::OpenAi => name == VERBOSITY || OPENAI.contains(&name),
        Wire::Anthropic => ANTHROPIC.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W15.
    #[test]
    fn options_with_effects_beyond_the_answer_are_not_sampling_options() {
        for wire in [Wire::OpenAi, Wire::Anthropic] {
            for name in [
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
                assert!(!is_sampling_option(wire, name), "{name}");
            }
            assert!(is_sampling_option(wire, "top_p"));
        }
        assert!(is_sampling_option(Wire::OpenAi, "seed"));
        assert!(!is_sampling_option(Wire::Anthropic, "seed"));
    }
}
