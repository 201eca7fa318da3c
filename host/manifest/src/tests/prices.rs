//! Prices and the budget.

use super::*;

const FILE: &str = "pipeline.name = \"p\"\nlayers.a.source = \"a/*\"\n";

fn price_errors(rest: &str) -> String {
    parse(&format!("{FILE}{rest}")).map_or_else(|errors| errors.to_string(), |_| String::new())
}

#[test]
fn prices_are_found_by_model() {
    let pipeline = parse(&format!(
        "{FILE}pipeline.budget_usd = 2.5\n[prices.\"gpt-4.1\"]\ninput = 2\nbatch = 0.5\n"
    ))
    .unwrap();
    let price = &pipeline.prices["gpt-4.1"];
    assert_eq!((price.input, price.output), (Some(2.0), None));
    assert_eq!((price.batch, pipeline.budget_usd), (Some(0.5), Some(2.5)));
}

#[test]
fn an_invalid_price_is_an_error_at_its_location() {
    for (rest, message) in [
        (
            "[prices.m]\ninputs = 1\n",
            "4:1: unknown key `inputs` in [prices.m] (did you mean `input`?)",
        ),
        (
            "[prices.m]\noutput = -1\n",
            "4:10: `prices.m.output` must be at least 0",
        ),
        (
            "pipeline.budget_usd = \"2\"\n",
            "3:23: `pipeline.budget_usd` must be a number, not a text",
        ),
    ] {
        assert_eq!(price_errors(rest), message);
    }
}
