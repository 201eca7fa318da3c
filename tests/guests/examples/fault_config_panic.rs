//! Crashes where its config is odd.

use serde::Deserialize;
use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    limit: Option<i64>,
}

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-config-panic";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = Config;

    fn config_schema() -> String {
        r#"{
            "type": "object",
            "properties": {"limit": {"type": "integer", "default": 5}},
            "additionalProperties": false
        }"#
        .to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        let copy = |input: &Input| {
            let text: String = input
                .text()?
                .chars()
                .take(usize::try_from(config.limit.unwrap_or(5)).expect("a positive limit"))
                .collect();
            Ok(Output::text(&input.header.label, "text", text))
        };
        inputs.iter().map(copy).collect()
    }
}

synix_plugin::export!(Fault);
