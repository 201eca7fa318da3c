//! Asks a model how to divide its inputs.

use synix_plugin::{Error, Header, Input, Output, Request, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct AskInSplit;

impl Transform for AskInSplit {
    const NAME: &'static str = "ask-in-split";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest for tests";
    const SHAPE: Shape = Shape::Grouped;
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn split(_: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        synix_plugin::complete(&Request::user("How?"))?;
        Ok(Vec::new())
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let done = |input: &Input| Output::text(&input.header.label, "text", "done");
        Ok(inputs.iter().map(done).collect())
    }
}

synix_plugin::export!(AskInSplit);
