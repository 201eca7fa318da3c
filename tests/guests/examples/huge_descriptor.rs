//! Describes itself in 40 MB.

use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct HugeDescriptor;

impl Transform for HugeDescriptor {
    const NAME: &'static str = "huge-descriptor";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest for tests";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        format!("{{\"title\": \"{}\"}}", "x".repeat(40_000_000))
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let done = |input: &Input| Output::text(&input.header.label, "text", "done");
        Ok(inputs.iter().map(done).collect())
    }
}

synix_plugin::export!(HugeDescriptor);
