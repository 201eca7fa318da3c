//! Joins its inputs in the order in which they come.

use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-input-order";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::All;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn split(inputs: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        Ok(vec![Unit {
            key: "all".to_owned(),
            inputs: (0..).take(inputs.len()).collect(),
            config: None,
        }])
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let texts: Result<Vec<&str>, Error> = inputs.iter().map(Input::text).collect();
        Ok(vec![Output::text("joined", "text", texts?.join("\n"))])
    }
}

synix_plugin::export!(Fault);
