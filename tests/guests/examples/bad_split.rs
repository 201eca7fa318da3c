//! Divides its inputs in the wrong way that its config names.

use serde::Deserialize;
use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    fault: Fault,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    OutOfRange,
    DuplicateKey,
    EmptyKey,
    BadConfig,
}

struct BadSplit;

impl Transform for BadSplit {
    const NAME: &'static str = "bad-split";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Divides its inputs wrongly";
    const SHAPE: Shape = Shape::Grouped;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = Config;

    fn config_schema() -> String {
        r#"{
            "type": "object",
            "properties": {"fault": {"enum": ["out-of-range", "duplicate-key", "empty-key", "bad-config"]}},
            "required": ["fault"],
            "additionalProperties": false
        }"#
        .to_owned()
    }

    fn split(inputs: &[Header], config: &Config) -> Result<Vec<Unit>, Error> {
        let count = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
        let unit = |key: &str, input, config: Option<&str>| Unit {
            key: key.to_owned(),
            inputs: vec![input],
            config: config.map(str::to_owned),
        };
        Ok(match config.fault {
            Fault::OutOfRange => vec![unit("a", count, None)],
            Fault::DuplicateKey => vec![unit("a", 0, None), unit("a", 0, None)],
            Fault::EmptyKey => vec![unit("", 0, None)],
            Fault::BadConfig => vec![unit("a", 0, Some("[]"))],
        })
    }

    fn execute(unit: &Unit, _: &[Input], _: &Config) -> Result<Vec<Output>, Error> {
        Ok(vec![Output::text(&unit.key, "text", "done")])
    }
}

synix_plugin::export!(BadSplit);
