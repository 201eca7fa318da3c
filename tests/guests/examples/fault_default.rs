//! Has another default than its schema says.

use serde::Deserialize;
use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    limit: Option<usize>,
}

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-default";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = Config;

    fn config_schema() -> String {
        r#"{
            "type": "object",
            "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 20, "default": 5}},
            "additionalProperties": false
        }"#
        .to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        let copy = |input: &Input| {
            let text: String = input
                .text()?
                .chars()
                .take(config.limit.unwrap_or(7))
                .collect();
            Ok(Output::text(&input.header.label, "text", text))
        };
        inputs.iter().map(copy).collect()
    }
}

synix_plugin::export!(Fault);
