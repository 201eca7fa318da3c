//! Divides its inputs into millions of units.

use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct SplitBomb;

impl Transform for SplitBomb {
    const NAME: &'static str = "split-bomb";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest for tests";
    const SHAPE: Shape = Shape::Grouped;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn split(_: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        let unit = |number: u32| Unit {
            key: number.to_string(),
            inputs: vec![0],
            config: None,
        };
        Ok((0..5_000_000).map(unit).collect())
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let done = |input: &Input| Output::text(&input.header.label, "text", "done");
        Ok(inputs.iter().map(done).collect())
    }
}

synix_plugin::export!(SplitBomb);
