//! Asks what `map` asks, with other code: its digest differs, its requests do not.

use serde::Deserialize;
use synix_plugin::{Error, Input, Output, Request, Shape, Transform, Unit};

/// A prompt in which `{{ content }}` is all that may be named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    prompt: String,
}

struct RefactoredMap;

impl Transform for RefactoredMap {
    const NAME: &'static str = "refactored-map";
    const VERSION: &'static str = "0.2.0";
    const SUMMARY: &'static str = "Asks one question about each input";
    const SHAPE: Shape = Shape::PerInput;
    type Config = Config;

    fn config_schema() -> String {
        r#"{
            "type": "object",
            "properties": {"prompt": {"type": "string"}},
            "required": ["prompt"],
            "additionalProperties": false
        }"#
        .to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        let ask = |input: &Input| {
            let question = config.prompt.replace("{{ content }}", input.text()?);
            let answer = synix_plugin::complete(&Request::user(question))?.text;
            Ok(Output::text(&input.header.label, "text", answer))
        };
        inputs.iter().map(ask).collect()
    }
}

synix_plugin::export!(RefactoredMap);
