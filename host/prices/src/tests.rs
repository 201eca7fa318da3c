//! Costs, computed from real replies of providers.

use serde_json::{Value, json};

use super::*;
use synix_core::request::{Outcome, Wire};
use synix_providers::read_rows;

fn usd(usd: f64) -> Amount {
    Amount::from_usd(usd).unwrap()
}

fn own(model: &str, price: Price) -> Prices {
    Prices::new(BTreeMap::from([(model.to_owned(), price)]))
}

/// Returns the normalized usage of a batch row.
fn usage(wire: Wire, row: &Value) -> Usage {
    match read_rows(
        wire,
        synix_core::request::RequestKind::Completion,
        row.to_string().as_bytes(),
    )
    .remove(0)
    .outcome
    {
        Ok(Outcome::Answered(answer)) => answer.usage,
        other => panic!("{other:?}"),
    }
}

fn plain(input: u64, output: u64) -> Usage {
    Usage {
        input_tokens: input,
        output_tokens: output,
        ..Usage::default()
    }
}

/// M10: the prompt tokens of OpenAI include the cached ones.
#[test]
fn the_cached_tokens_of_openai_are_part_of_its_input() {
    let row = json!({"custom_id": "a", "error": null, "response": {"status_code": 200, "body": {
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100,
            "prompt_tokens_details": {"cached_tokens": 400}},
    }}});
    let usage = usage(Wire::OpenAi, &row);
    // 600 × 0.15 + 400 × 0.075 + 100 × 0.60
    let cost = Prices::default().cost("gpt-4o-mini", &usage, Rate::Sync);
    assert_eq!(cost, Ok(usd(0.000_18)));
}

/// M10: Anthropic counts cached tokens and cache writes separately from the input.
#[test]
fn the_cached_tokens_of_anthropic_are_not_part_of_its_input() {
    let row = json!({"custom_id": "a", "result": {"type": "succeeded", "message": {
        "model": "claude-haiku-4-5-20251001", "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1000, "cache_read_input_tokens": 400,
            "cache_creation_input_tokens": 200, "output_tokens": 100},
    }}});
    let usage = usage(Wire::Anthropic, &row);
    // 1000 × 1 + 400 × 0.1 + 200 × 1.25 + 100 × 5
    let cost = Prices::default().cost("claude-haiku-4-5", &usage, Rate::Sync);
    assert_eq!(cost, Ok(usd(0.001_79)));
}

/// M9.
#[test]
fn a_request_in_a_batch_costs_half() {
    let cost = |rate| Prices::default().cost("gpt-4o-mini", &plain(1000, 100), rate);
    assert_eq!(cost(Rate::Sync), Ok(usd(0.000_21)));
    assert_eq!(cost(Rate::Batch), Ok(usd(0.000_105)));
}

#[test]
fn half_a_picodollar_is_rounded_up() {
    let price = Price {
        input: Some(0.000_001),
        output: Some(0.0),
        batch: Some(0.5),
        ..Price::default()
    };
    let cost = own("m", price).cost("m", &plain(1, 1), Rate::Batch);
    assert_eq!(cost, Ok(Amount::from_pico(1)));
}

#[test]
fn a_long_input_raises_the_price_of_all_tokens() {
    let cost = |input| Prices::default().cost("claude-haiku-5-5", &plain(input, 1000), Rate::Sync);
    assert_eq!(cost(100_000), Ok(usd(0.0105)));
    assert_eq!(cost(100_001), Ok(usd(0.052_500_5)));
}

#[test]
fn a_price_in_the_pipeline_file_overrides_the_built_in_one() {
    let prices = own(
        "gpt-4o-mini",
        Price {
            output: Some(1.0),
            ..Price::default()
        },
    );
    let cost = prices.cost("gpt-4o-mini-2024-07-18", &plain(1000, 1000), Rate::Batch);
    assert_eq!(cost, Ok(usd(0.000_575)));
}

#[test]
fn a_price_in_the_pipeline_file_disables_the_built_in_prices_for_long_inputs() {
    let prices = own(
        "claude-haiku-5-5",
        Price {
            input: Some(0.1),
            ..Price::default()
        },
    );
    let cost = prices.cost("claude-haiku-5-5", &plain(1_000_000, 0), Rate::Sync);
    assert_eq!(cost, Ok(usd(0.1)));
}

/// M9: unknown does not mean free.
#[test]
fn a_model_without_a_price_has_an_unknown_cost() {
    let prices = Prices::default();
    let unknown = Err(PriceError::NoModel("mystery".to_owned()));
    assert_eq!(prices.cost("mystery", &plain(1, 0), Rate::Sync), unknown);
    assert_eq!(
        prices.cost("mystery", &Usage::default(), Rate::Sync),
        Ok(Amount::ZERO)
    );
}

#[test]
fn the_error_names_a_missing_price() {
    let price = Price {
        input: Some(1.0),
        output: Some(1.0),
        ..Price::default()
    };
    let prices = own("mine", price);
    let missing = |what| {
        Err(PriceError::NoPrice {
            model: "mine".to_owned(),
            what,
        })
    };
    assert_eq!(
        prices.cost("mine", &plain(1, 1), Rate::Batch),
        missing("batch")
    );
    let cached = Usage {
        cached_tokens: 1,
        ..plain(2, 1)
    };
    assert_eq!(
        prices.cost("mine", &cached, Rate::Sync),
        missing("cached_input")
    );
}

/// M11: a row without a price does not change the cost of the other rows.
#[test]
fn rows_are_added_one_by_one() {
    let prices = Prices::default();
    let mut bill = Bill::default();
    bill.add(&prices, "gpt-4o-mini", &plain(1000, 100), Rate::Batch);
    bill.add(&prices, "gpt-4o-mini", &Usage::default(), Rate::Batch);
    bill.add(&prices, "gpt-4o-mini", &plain(1000, 100), Rate::Sync);
    assert_eq!(bill.cost(), Some(usd(0.000_315)));
    bill.add(&prices, "mystery", &plain(5, 5), Rate::Sync);
    assert_eq!(bill.cost(), None);
    assert_eq!(bill.usage().input_tokens, 2005);
    assert_eq!(bill.unpriced().len(), 1);
}
