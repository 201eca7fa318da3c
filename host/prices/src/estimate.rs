//! Bounds of the cost of a request before it is sent.

use serde_json::Value;

use super::images::UncountedImage;
use super::tokens::{InputTokens, count_input_tokens};
use super::{Amount, PriceError, Prices, Rate};
use synix_core::request::{Request, Usage, Wire};

/// The estimated tokens of a request that has not been sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The number of input tokens.
    pub input_tokens: Result<u64, UncountedImage>,
    /// Whether this number is an estimate rather than the result of the model's tokenizer.
    pub input_estimated: bool,
    /// The maximum number of output tokens; `None` if there is no limit.
    pub output_tokens: Option<u64>,
    /// Whether the provider may write the input to its cache, which has a different price.
    pub may_write_cache: bool,
}

impl Estimate {
    /// Estimates the tokens of a request.
    pub fn of(request: &Request) -> Self {
        let input = count_input_tokens(request);
        Self {
            input_tokens: input.map(|InputTokens { tokens, .. }| tokens),
            input_estimated: input.map_or(true, |InputTokens { estimated, .. }| estimated),
            output_tokens: max_output_tokens(request),
            may_write_cache: match request.wire {
                Wire::OpenAi => !request.kind.is_embedding(),
                // Anthropic writes to its cache only if the request says so.
                Wire::Anthropic => request.options.contains_key("cache_control"),
            },
        }
    }
}

impl Estimate {
    /// Returns the estimate of a request that repeats this one with its longest answer and `more` further tokens.
    pub fn repeated(&self, more: u64) -> Self {
        let answer = self.output_tokens.unwrap_or(0);
        let repeat = |input: u64| input.saturating_add(answer).saturating_add(more);
        Self {
            input_tokens: self.input_tokens.map(repeat),
            input_estimated: true,
            ..*self
        }
    }
}

/// Returns the limit of an answer times the number of requested answers.
fn max_output_tokens(request: &Request) -> Option<u64> {
    if request.kind.is_embedding() {
        return Some(0);
    }
    let option = |name: &str| request.options.get(name);
    let overrides = ["max_completion_tokens", "max_tokens"]
        .into_iter()
        .filter_map(option)
        .collect::<Vec<&Value>>();
    let limit = if overrides.is_empty() {
        request.max_tokens.map(u64::from)
    } else {
        overrides.into_iter().filter_map(Value::as_u64).max()
    };
    let answers = option("n").and_then(Value::as_u64).unwrap_or(1);
    limit?.checked_mul(answers.max(1))
}

impl Prices {
    /// Returns the cost of a request if its answer is empty and no cache is used.
    pub fn min_cost(
        &self,
        model: &str,
        estimate: &Estimate,
        rate: Rate,
    ) -> Result<Amount, PriceError> {
        let input = estimate
            .input_tokens
            .map_err(|uncounted| uncounted.of(model))?;
        let usage = Usage {
            input_tokens: input,
            ..Usage::default()
        };
        self.cost(model, &usage, rate)
    }

    /// Returns the cost of a request if its answer has the maximum length and its input has the highest possible price.
    pub fn max_cost(
        &self,
        model: &str,
        estimate: &Estimate,
        rate: Rate,
    ) -> Result<Amount, PriceError> {
        let input = estimate
            .input_tokens
            .map_err(|uncounted| uncounted.of(model))?;
        let output = estimate
            .output_tokens
            .ok_or_else(|| PriceError::NoLimit(model.to_owned()))?;
        let plain = Usage {
            input_tokens: input,
            output_tokens: output,
            ..Usage::default()
        };
        let written = Usage {
            cache_write_tokens: input,
            ..plain
        };
        let cost = self.cost(model, &plain, rate)?;
        if !estimate.may_write_cache {
            return Ok(cost);
        }
        // A model without a price for cache writes does not write to a cache.
        Ok(self
            .cost(model, &written, rate)
            .map_or(cost, |written| written.max(cost)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use synix_core::request::{Message, Part, Role};

    fn request(wire: Wire, options: &Value) -> Request {
        Request {
            kind: synix_core::request::RequestKind::Completion,
            wire,
            provider: "p".to_owned(),
            model: "m".to_owned(),
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::Text("Hello".to_owned())],
            }],
            max_tokens: Some(100),
            temperature: None,
            stop: Vec::new(),
            response_format: None,
            options: options.as_object().cloned().unwrap_or_else(Map::new),
            sample: 0,
            revision: String::new(),
        }
    }

    fn output_limit(options: &Value) -> Option<u64> {
        Estimate::of(&request(Wire::OpenAi, options)).output_tokens
    }

    /// M9: the limit in the request's body takes precedence.
    #[test]
    fn options_override_the_limit() {
        assert_eq!(output_limit(&json!({})), Some(100));
        assert_eq!(
            output_limit(&json!({"max_completion_tokens": 900})),
            Some(900)
        );
        assert_eq!(output_limit(&json!({"max_tokens": null})), None);
    }

    #[test]
    fn each_of_several_answers_can_reach_the_limit() {
        assert_eq!(output_limit(&json!({"n": 3})), Some(300));
        assert_eq!(output_limit(&json!({"n": u64::MAX})), None);
    }

    fn estimate(may_write_cache: bool) -> Estimate {
        Estimate {
            input_tokens: Ok(1000),
            input_estimated: false,
            output_tokens: Some(100),
            may_write_cache,
        }
    }

    /// M9: the bound must also cover a cache write.
    #[test]
    fn the_maximum_uses_the_highest_price_of_the_input() {
        let max_cost = |writes| {
            let cost = Prices::default().max_cost("gpt-6-sol", &estimate(writes), Rate::Sync);
            cost.unwrap().usd()
        };
        assert!((max_cost(false) - 0.003).abs() < 1e-12);
        assert!((max_cost(true) - 0.0035).abs() < 1e-12);
    }

    #[test]
    fn anthropic_writes_to_its_cache_only_on_request() {
        let writes = |options| Estimate::of(&request(Wire::Anthropic, &options)).may_write_cache;
        assert!(!writes(json!({})));
        assert!(writes(json!({"cache_control": {"type": "ephemeral"}})));
    }

    /// An answer may be as long as its limit, and is part of the input when it is sent back.
    #[test]
    fn a_repeated_request_contains_its_longest_answer() {
        let repeated = estimate(false).repeated(50).repeated(50);
        assert_eq!(repeated.input_tokens, Ok(1300));
        assert_eq!(repeated.output_tokens, Some(100));
        assert!(repeated.input_estimated);
        let prices = Prices::default();
        let cost = |estimate: &Estimate| prices.max_cost("gpt-4o", estimate, Rate::Sync).unwrap();
        assert!(cost(&repeated) > cost(&estimate(false)));
    }

    #[test]
    fn without_an_output_limit_there_is_a_minimum_but_no_maximum() {
        let unlimited = Estimate {
            output_tokens: None,
            ..estimate(false)
        };
        let prices = Prices::default();
        assert!(prices.min_cost("gpt-4o", &unlimited, Rate::Batch).is_ok());
        assert_eq!(
            prices.max_cost("gpt-4o", &unlimited, Rate::Batch),
            Err(PriceError::NoLimit("gpt-4o".to_owned()))
        );
    }
}
