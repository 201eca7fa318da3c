//! Describes its config with something that is no JSON Schema.

use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct BadSchema;

impl Transform for BadSchema {
    const NAME: &'static str = "bad-schema";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Has no usable schema";
    const SHAPE: Shape = Shape::PerInput;
    type Config = NoConfig;

    fn config_schema() -> String {
        r#"{"type": "thing", "properties": 12}"#.to_owned()
    }

    fn execute(_: &Unit, _: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        Ok(Vec::new())
    }
}

synix_plugin::export!(BadSchema);
