//! Names its units by the positions of their inputs.

use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-position-keys";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::Grouped;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn split(inputs: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        let unit = |at: u32| Unit {
            key: format!("unit-{at}"),
            inputs: vec![at],
            config: None,
        };
        Ok((0..).take(inputs.len()).map(unit).collect())
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let copy = |input: &Input| Ok(Output::text(&input.header.label, "text", input.text()?));
        inputs.iter().map(copy).collect()
    }
}

synix_plugin::export!(Fault);
