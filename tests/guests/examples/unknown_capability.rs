//! Declares a capability that there is not.

use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct UnknownCapability;

impl Transform for UnknownCapability {
    const NAME: &'static str = "unknown-capability";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest for tests";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &["network"];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let done = |input: &Input| Output::text(&input.header.label, "text", "done");
        Ok(inputs.iter().map(done).collect())
    }
}

synix_plugin::export!(UnknownCapability);
