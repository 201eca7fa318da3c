//! Makes as many units of its first input as the metadata key `units` says, each of which asks `questions` one by one.

use synix_plugin::{Error, Header, Input, Output, Request, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct Swarm;

impl Transform for Swarm {
    const NAME: &'static str = "swarm";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Makes many units of little";
    const SHAPE: Shape = Shape::Grouped;
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn split(inputs: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        let count = inputs.first().map_or(0, |header| number(header, "units"));
        let unit = |number: u32| Unit {
            key: number.to_string(),
            inputs: vec![0],
            config: None,
        };
        Ok((0..count).map(unit).collect())
    }

    fn execute(unit: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let count = inputs
            .first()
            .map_or(0, |input| number(&input.header, "questions"));
        for number in 0..count {
            let question = format!("Question {number} of unit {}", unit.key);
            synix_plugin::complete(&Request::user(question))?;
        }
        Ok(vec![Output::text(unit.key.clone(), "text", "done")])
    }
}

synix_plugin::export!(Swarm);

fn number(header: &Header, key: &str) -> u32 {
    let text = header.metadata(key).unwrap_or_default();
    text.parse().unwrap_or_default()
}
