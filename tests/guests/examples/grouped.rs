//! Makes one unit for each value of a metadata key and asks one question about its inputs.

use std::collections::BTreeMap;

use serde::Deserialize;
use synix_plugin::{Error, Header, Input, Output, Request, Shape, Transform, Unit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    by: String,
    /// Added by `split`.
    group: Option<String>,
}

struct Grouped;

impl Transform for Grouped {
    const NAME: &'static str = "grouped";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Asks one question about each group";
    const SHAPE: Shape = Shape::Grouped;
    type Config = Config;

    fn config_schema() -> String {
        r#"{
            "type": "object",
            "properties": {"by": {"type": "string"}, "group": {"type": "string"}},
            "required": ["by"],
            "additionalProperties": false
        }"#
        .to_owned()
    }

    fn split(inputs: &[Header], config: &Config) -> Result<Vec<Unit>, Error> {
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (header, position) in inputs.iter().zip(0..) {
            let value = header
                .metadata(&config.by)
                .unwrap_or("none")
                .trim_matches('"');
            groups.entry(value.to_owned()).or_default().push(position);
        }
        let unit = |(key, inputs): (String, _)| {
            let config = Some(serde_json::json!({"group": key}).to_string());
            Unit {
                key,
                inputs,
                config,
            }
        };
        Ok(groups.into_iter().map(unit).collect())
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        let group = config.group.as_deref().unwrap_or("nobody");
        let labels: Vec<_> = inputs
            .iter()
            .map(|input| input.header.label.as_str())
            .collect();
        let question = format!("Describe {group}: {}", labels.join(", "));
        let answer = synix_plugin::complete(&Request::user(question))?.text;
        Ok(vec![Output::text(group, "text", answer)])
    }
}

synix_plugin::export!(Grouped);
