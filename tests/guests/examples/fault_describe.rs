//! Describes itself anew on each call.

use std::sync::atomic::{AtomicU32, Ordering};

use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

static DESCRIBED: AtomicU32 = AtomicU32::new(0);

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-describe";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        let number = DESCRIBED.fetch_add(1, Ordering::Relaxed);
        format!(r#"{{"type": "object", "title": "{number}", "additionalProperties": false}}"#)
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let copy = |input: &Input| Ok(Output::text(&input.header.label, "text", input.text()?));
        inputs.iter().map(copy).collect()
    }
}

synix_plugin::export!(Fault);
