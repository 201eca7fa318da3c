//! What a request may cost, before it is sent.

use serde_json::Value;

use super::tokens::{InputTokens, input_tokens};
use super::{Amount, PriceError, Prices, Rate};
use synix_core::request::{Request, Usage, Wire};

/// The tokens of a request that was not sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Its input tokens; `None` where they cannot be counted.
    pub input_tokens: Option<u64>,
    /// Whether that number is not the tokenizer's.
    pub input_estimated: bool,
    /// Its output tokens at most; `None` where nothing limits them.
    pub output_tokens: Option<u64>,
    /// Whether the provider may write its input to a cache, at another price.
    pub may_write_cache: bool,
}

impl Estimate {
    /// Counts a request.
    pub fn of(request: &Request) -> Self {
        let input = input_tokens(request);
        Self {
            input_tokens: input.map(|InputTokens { tokens, .. }| tokens),
            input_estimated: input.is_none_or(|InputTokens { estimated, .. }| estimated),
            output_tokens: output_tokens(request),
            may_write_cache: match request.wire {
                Wire::OpenAi => true,
                // Written only where the request says so.
                Wire::Anthropic => request.options.contains_key("cache_control"),
            },
        }
    }
}

/// The most that a request may have as output: its limit, for each of the answers it asks for.
fn output_tokens(request: &Request) -> Option<u64> {
    let option = |name: &str| request.options.get(name);
    let written = ["max_completion_tokens", "max_tokens"]
        .into_iter()
        .filter_map(option)
        .collect::<Vec<&Value>>();
    let limit = if written.is_empty() {
        request.max_tokens.map(u64::from)
    } else {
        written.into_iter().filter_map(Value::as_u64).max()
    };
    let answers = option("n").and_then(Value::as_u64).unwrap_or(1);
    limit?.checked_mul(answers.max(1))
}

impl Prices {
    /// Returns what a request costs if its answer is empty and no cache helps.
    pub fn least(
        &self,
        model: &str,
        estimate: &Estimate,
        rate: Rate,
    ) -> Result<Amount, PriceError> {
        let input = estimate
            .input_tokens
            .ok_or_else(|| PriceError::NoCount(model.to_owned()))?;
        let usage = Usage {
            input_tokens: input,
            ..Usage::default()
        };
        self.cost(model, &usage, rate)
    }

    /// Returns what a request costs at most: its whole output, its input at the dearest price it may have.
    pub fn most(&self, model: &str, estimate: &Estimate, rate: Rate) -> Result<Amount, PriceError> {
        let input = estimate
            .input_tokens
            .ok_or_else(|| PriceError::NoCount(model.to_owned()))?;
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
        // A model without a price for it does not write any.
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

    fn most_output(options: &Value) -> Option<u64> {
        Estimate::of(&request(Wire::OpenAi, options)).output_tokens
    }

    /// M9: the limit that is sent is the one that counts.
    #[test]
    fn options_may_set_another_limit() {
        assert_eq!(most_output(&json!({})), Some(100));
        assert_eq!(
            most_output(&json!({"max_completion_tokens": 900})),
            Some(900)
        );
        assert_eq!(most_output(&json!({"max_tokens": null})), None);
    }

    #[test]
    fn each_of_several_answers_may_reach_the_limit() {
        assert_eq!(most_output(&json!({"n": 3})), Some(300));
        assert_eq!(most_output(&json!({"n": u64::MAX})), None);
    }

    fn estimate(may_write_cache: bool) -> Estimate {
        Estimate {
            input_tokens: Some(1000),
            input_estimated: false,
            output_tokens: Some(100),
            may_write_cache,
        }
    }

    /// M9: a bound holds also where the provider writes the input to its cache.
    #[test]
    fn the_most_counts_input_at_its_dearest() {
        let most = |writes| {
            let most = Prices::default().most("gpt-6-sol", &estimate(writes), Rate::Sync);
            most.unwrap().usd()
        };
        assert!((most(false) - 0.003).abs() < 1e-12);
        assert!((most(true) - 0.0035).abs() < 1e-12);
    }

    #[test]
    fn anthropic_writes_a_cache_only_where_it_is_told_to() {
        let writes = |options| Estimate::of(&request(Wire::Anthropic, &options)).may_write_cache;
        assert!(!writes(json!({})));
        assert!(writes(json!({"cache_control": {"type": "ephemeral"}})));
    }

    #[test]
    fn without_a_limit_there_is_a_least_and_no_most() {
        let unlimited = Estimate {
            output_tokens: None,
            ..estimate(false)
        };
        let prices = Prices::default();
        assert!(prices.least("gpt-4o", &unlimited, Rate::Batch).is_ok());
        assert_eq!(
            prices.most("gpt-4o", &unlimited, Rate::Batch),
            Err(PriceError::NoLimit("gpt-4o".to_owned()))
        );
    }
}
