//! Asks a model although it did not declare that it would.

use synix_plugin::{Error, Input, Output, Request, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct UndeclaredLlm;

impl Transform for UndeclaredLlm {
    const NAME: &'static str = "undeclared-llm";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Asks without having declared it";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let ask = |input: &Input| {
            let answer = synix_plugin::complete(&Request::user(input.text()?))?.text;
            Ok(Output::text(&input.header.label, "text", answer))
        };
        inputs.iter().map(ask).collect()
    }
}

synix_plugin::export!(UndeclaredLlm);
