//! Declares a capability that no host has.

use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-capability";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &["search"];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let copy = |input: &Input| Ok(Output::text(&input.header.label, "text", input.text()?));
        inputs.iter().map(copy).collect()
    }
}

synix_plugin::export!(Fault);
