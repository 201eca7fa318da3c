//! Joins the inputs of each topic; asks nothing.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit, schema_of};

struct Topics;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {}

impl Transform for Topics {
    const NAME: &'static str = "topics";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Joins the inputs of each topic";
    const SHAPE: Shape = Shape::Grouped;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn split(inputs: &[Header], _: &Config) -> Result<Vec<Unit>, Error> {
        let mut sorted: Vec<(u32, &Header)> = (0..).zip(inputs).collect();
        sorted.sort_by(|(_, one), (_, other)| one.label.cmp(&other.label));
        let mut topics: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (position, header) in sorted {
            topics.entry(topic_of(header)).or_default().push(position);
        }
        let unit = |(key, inputs)| Unit { key, inputs, config: None };
        Ok(topics.into_iter().map(unit).collect())
    }

    fn execute(unit: &Unit, inputs: &[Input], _: &Config) -> Result<Vec<Output>, Error> {
        let texts: Result<Vec<&str>, Error> = inputs.iter().map(Input::text).collect();
        let made = Output::text(&unit.key, "digest", texts?.join("\n"));
        Ok(vec![made.with_metadata("count", &inputs.len().into())])
    }
}

synix_plugin::export!(Topics);

/// The metadata are whatever stands in a note; a unit's key has 1 to 512 characters and no control characters.
fn topic_of(header: &Header) -> String {
    let topic = header.metadata("topic").and_then(|json| serde_json::from_str(json).ok());
    let usable = |topic: &String| {
        (1..=100).contains(&topic.len()) && topic.bytes().all(|one| (b' '..=b'~').contains(&one))
    };
    topic.filter(usable).unwrap_or_else(|| "none".to_owned())
}
