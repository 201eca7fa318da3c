//! Takes it for granted that its config is what the schema says.

use serde_json::Value;
use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-config-type";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = Value;

    fn config_schema() -> String {
        r#"{
            "type": "object",
            "properties": {"prefix": {"type": "string"}},
            "required": ["prefix"],
            "additionalProperties": false
        }"#
        .to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Value) -> Result<Vec<Output>, Error> {
        let prefix = config["prefix"].as_str().expect("a text");
        let copy = |input: &Input| {
            let text = format!("{prefix}{}", input.text()?);
            Ok(Output::text(&input.header.label, "text", text))
        };
        inputs.iter().map(copy).collect()
    }
}

synix_plugin::export!(Fault);
