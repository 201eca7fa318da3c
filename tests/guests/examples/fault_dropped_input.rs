//! Forgets its last input and does not say so.

use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-dropped-input";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::Grouped;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn split(inputs: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        let mut labels: Vec<(&str, u32)> = inputs
            .iter()
            .map(|input| input.label.as_str())
            .zip(0..)
            .collect();
        labels.sort_unstable();
        labels.pop();
        let unit = |(label, at): (&str, u32)| Unit {
            key: label.to_owned(),
            inputs: vec![at],
            config: None,
        };
        Ok(labels.into_iter().map(unit).collect())
    }

    fn execute(_: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let copy = |input: &Input| Ok(Output::text(&input.header.label, "text", input.text()?));
        inputs.iter().map(copy).collect()
    }
}

synix_plugin::export!(Fault);
