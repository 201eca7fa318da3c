//! Never ends dividing its inputs.

use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct SpinSplit;

impl Transform for SpinSplit {
    const NAME: &'static str = "spin-split";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest for tests";
    const SHAPE: Shape = Shape::Grouped;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn split(_: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        loop {
            std::hint::black_box(());
        }
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let done = |input: &Input| Output::text(&input.header.label, "text", "done");
        Ok(inputs.iter().map(done).collect())
    }
}

synix_plugin::export!(SpinSplit);
