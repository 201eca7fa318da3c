//! Copies its input in capitals and asks nobody.

use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct Echo;

impl Transform for Echo {
    const NAME: &'static str = "echo";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Copies its input in capitals";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let copy = |input: &Input| {
            Ok(Output::text(
                &input.header.label,
                "text",
                input.text()?.to_uppercase(),
            ))
        };
        inputs.iter().map(copy).collect()
    }
}

synix_plugin::export!(Echo);
