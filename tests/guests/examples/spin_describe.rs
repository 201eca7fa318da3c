//! Never ends describing itself.

use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct SpinDescribe;

impl Transform for SpinDescribe {
    const NAME: &'static str = "spin-describe";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest for tests";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        loop {
            std::hint::black_box(());
        }
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let done = |input: &Input| Output::text(&input.header.label, "text", "done");
        Ok(inputs.iter().map(done).collect())
    }
}

synix_plugin::export!(SpinDescribe);
