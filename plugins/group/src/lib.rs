//! Makes one artifact of each group of inputs.
//!
//! A group is found from an input's header: its contents are not known when units are made.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use synix_plugin::prompt::{self, Beside, Wording};
use synix_plugin::template::{Template, fault_of_name, variables_of_group};
use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};

struct Group;

/// What a layer sets beside the question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    by: Option<String>,
    by_template: Option<String>,
    #[serde(default)]
    on_missing: OnMissing,
    #[serde(default = "ungrouped")]
    missing_group: String,
    #[serde(default = "blank_line")]
    separator: String,
}

/// What becomes of an input that belongs to no group.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum OnMissing {
    Group,
    Skip,
    #[default]
    Error,
}

fn ungrouped() -> String {
    "ungrouped".to_owned()
}

fn blank_line() -> String {
    "\n\n".to_owned()
}

impl Transform for Group {
    const NAME: &'static str = "group";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Makes one artifact of each group of inputs";
    const SHAPE: Shape = Shape::Grouped;
    type Config = Beside<Own>;

    fn config_schema() -> String {
        let text = prompt::schema(Wording {
            variables: "`group` and `inputs`, a list in label order; each has `content`, `label`, `kind` and `metadata`",
            default_label: Some("{{ group }}"),
        });
        let Ok(mut schema) = serde_json::from_str::<Value>(&text) else {
            return text;
        };
        schema["oneOf"] = json!([{ "required": ["by"] }, { "required": ["by_template"] }]);
        schema["not"] = json!({ "required": ["prompt", "prompt_file"] });
        schema["properties"]["by"] = json!({
            "type": "string", "minLength": 1,
            "description": "The metadata key whose value names the group. A list puts the input into each group it names."
        });
        schema["properties"]["by_template"] = json!({
            "type": "string", "minLength": 1,
            "description": "In place of `by`: a template over `label`, `kind` and `metadata` that makes the group's name."
        });
        schema["properties"]["on_missing"] = json!({
            "enum": ["group", "skip", "error"], "default": "error",
            "description": "What becomes of an input without a group: into `missing_group`, left out, or an error."
        });
        schema["properties"]["missing_group"] = json!({
            "type": "string", "minLength": 1, "default": "ungrouped",
            "description": "The group of inputs without one."
        });
        schema["properties"]["separator"] = json!({
            "type": "string", "default": "\n\n",
            "description": "Without a prompt nothing is asked: the output is the contents with this between them."
        });
        schema.to_string()
    }

    fn split(inputs: &[Header], config: &Self::Config) -> Result<Vec<Unit>, Error> {
        let own = &config.own;
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        // The contract promises no order of inputs.
        let mut headers: Vec<(&Header, u32)> = inputs.iter().zip(0..).collect();
        headers.sort_by(|(left, _), (right, _)| left.label.cmp(&right.label));
        for (header, position) in headers {
            let mut names = names_of(header, own)?;
            if names.is_empty() {
                match own.on_missing {
                    OnMissing::Group => names.push(own.missing_group.clone()),
                    OnMissing::Skip => {}
                    OnMissing::Error => {
                        return Err(Error::InvalidInput(format!(
                            "the input `{}` belongs to no group; `on_missing` can be \"group\" or \"skip\"",
                            header.label
                        )));
                    }
                }
            }
            names.sort();
            names.dedup();
            for name in names {
                groups.entry(name).or_default().push(position);
            }
        }
        Ok(groups
            .into_iter()
            .map(|(key, inputs)| Unit {
                key,
                inputs,
                config: None,
            })
            .collect())
    }

    fn execute(unit: &Unit, inputs: &[Input], config: &Self::Config) -> Result<Vec<Output>, Error> {
        let mut inputs: Vec<&Input> = inputs.iter().collect();
        inputs.sort_by(|left, right| left.header.label.cmp(&right.header.label));
        let variables = variables_of_group(&unit.key, &inputs)?;
        let label = match config.prompt.label() {
            Some(template) => template.render_label(&variables)?,
            None => unit.key.clone(),
        };
        let text = if config.prompt.has_prompt() {
            config.prompt.ask(&variables)?
        } else {
            let texts: Vec<&str> = inputs
                .iter()
                .map(|input| input.text())
                .collect::<Result<_, _>>()?;
            texts.join(&config.own.separator)
        };
        Ok(vec![
            Output::text(label, config.prompt.kind(), text)
                .with_metadata_shared_by(&inputs)
                .with_metadata("group", &json!(unit.key))
                .with_metadata("count", &json!(inputs.len())),
        ])
    }
}

synix_plugin::export!(Group);

fn names_of(header: &Header, own: &Own) -> Result<Vec<String>, Error> {
    let place = || format!("the input `{}`", header.label);
    let names = match (&own.by, &own.by_template) {
        (Some(key), None) => match header
            .metadata(key)
            .and_then(|text| serde_json::from_str(text).ok())
        {
            Some(Value::Array(values)) => values.iter().filter_map(name_of).collect(),
            Some(value) => name_of(&value).into_iter().collect(),
            None => Vec::new(),
        },
        (None, Some(source)) => Template {
            name: "by_template",
            source,
        }
        .render_if_defined(header)
        .map_err(|error| error.at(&place()))?
        .map(|name| name.trim().to_owned())
        .into_iter()
        .collect(),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::InvalidConfig(
                "one of `by` and `by_template` is needed, not both".to_owned(),
            ));
        }
    };
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    for name in &names {
        // A group is a unit, and its name the unit's key.
        if let Some(rule) = fault_of_name(name) {
            let shown: String = name.chars().take(80).collect();
            let text = format!("its group {shown:?} {rule}");
            return Err(Error::InvalidInput(text).at(&place()));
        }
    }
    Ok(names)
}

fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
