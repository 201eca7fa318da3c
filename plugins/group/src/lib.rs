//! Makes one artifact from each group of inputs.
//!
//! The header of an input determines its group, because its content is not known when units are made.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use synix_parts::tree::{self, WithParts};
use synix_plugin::prompt::{self, Wording};
use synix_plugin::template::{Template, fault_of_name};
use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};

struct Group;

/// The metadata keys that the transform itself sets.
const OWN: [&str; 2] = ["group", "count"];

/// The settings besides those of the prompt.
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

/// What to do with an input without a group.
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
    type Config = WithParts<Own>;

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
        // Without a prompt there is no answer to take apart.
        let asks =
            json!({ "anyOf": [{ "required": ["prompt"] }, { "required": ["prompt_file"] }] });
        schema["dependentSchemas"] =
            json!({ "attach": asks, "explode": asks, "fields": asks, "max_input_tokens": asks });
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
        tree::describe(&mut schema);
        schema.to_string()
    }

    fn split(inputs: &[Header], config: &Self::Config) -> Result<Vec<Unit>, Error> {
        let own = &config.own;
        config.prompt.check(&OWN)?;
        config.check_parts()?;
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        // The contract does not specify the order of inputs.
        let mut headers: Vec<(&Header, u32)> = inputs.iter().zip(0..).collect();
        headers.sort_by(|(left, _), (right, _)| left.label.cmp(&right.label));
        for (header, position) in headers {
            let mut names = match (names_of(header, own)?, own.on_missing) {
                (Ok(names), _) => names,
                (Err(_), OnMissing::Group) => vec![own.missing_group.clone()],
                (Err(_), OnMissing::Skip) => Vec::new(),
                (Err(missing), OnMissing::Error) => {
                    return Err(Error::InvalidInput(format!(
                        "the input `{}` belongs to no group: {missing}; `on_missing` can be \"group\" or \"skip\"",
                        header.label
                    )));
                }
            };
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
        let prompt = &config.prompt;
        let question = prompt.about_group(&unit.key, &inputs)?;
        let label = match prompt.label() {
            Some(template) => template.render_label(&question.variables)?,
            None => unit.key.clone(),
        };
        let own = [(OWN[0], json!(unit.key)), (OWN[1], json!(inputs.len()))];
        let made = Output::text(label, prompt.kind(), "").with_metadata_shared_by(&inputs);
        if prompt.has_prompt() {
            prompt.ready(&made.label, &own, &question)?;
            let about = |inputs: &[&Input]| Ok(prompt.about_group(&unit.key, inputs)?.variables);
            let answer = match config.reduce_parts(&inputs, about)? {
                None => prompt.ask(&question)?,
                Some(parts) => {
                    let parts: Vec<&Input> = parts.iter().collect();
                    prompt.ask(&prompt.about_group(&unit.key, &parts)?)?
                }
            };
            return prompt.outputs(made, &own, answer, &question);
        }
        prompt.check(&OWN)?;
        let texts: Vec<&str> = inputs
            .iter()
            .map(|input| input.text())
            .collect::<Result<_, _>>()?;
        let joined = texts.join(&config.own.separator);
        prompt.outputs(made, &own, joined, &question)
    }
}

synix_plugin::export!(Group);

/// Returns the groups of an input; the inner `Err` is the reason why it has none.
fn names_of(header: &Header, own: &Own) -> Result<Result<Vec<String>, String>, Error> {
    let place = || format!("the input `{}`", header.label);
    let (names, missing) = match (&own.by, &own.by_template) {
        (Some(key), None) => by_key(header, key),
        (None, Some(source)) => {
            let template = Template {
                name: "by_template",
                source,
            };
            let rendered = template
                .render_if_defined(header)
                .map_err(|error| error.at(&place()))?;
            match rendered {
                Ok(name) => (
                    vec![name.trim().to_owned()],
                    "`by_template` gives an empty name".to_owned(),
                ),
                Err(missing) => (Vec::new(), missing),
            }
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::InvalidConfig(
                "set either `by` or `by_template`".to_owned(),
            ));
        }
    };
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    for name in &names {
        // A group is a unit, and the name of the group is the unit key.
        if let Some(rule) = fault_of_name(name) {
            let shown: String = name.chars().take(80).collect();
            let text = format!("its group {shown:?} {rule}");
            return Err(Error::InvalidInput(text).at(&place()));
        }
    }
    Ok(if names.is_empty() {
        Err(missing)
    } else {
        Ok(names)
    })
}

/// Returns the names under a metadata key, and the message for the case that there are none.
fn by_key(header: &Header, key: &str) -> (Vec<String>, String) {
    let value = header
        .metadata(key)
        .and_then(|text| serde_json::from_str(text).ok());
    let names_none = |what: &str| format!("its metadata `{key}` is {what}, which names none");
    match value {
        Some(Value::Array(values)) => (
            values.iter().filter_map(name_of).collect(),
            names_none(if values.is_empty() {
                "an empty list"
            } else {
                "a list without a name"
            }),
        ),
        Some(value) => {
            let what = match value {
                Value::Null => "null",
                Value::Object(_) => "a table",
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => "empty",
            };
            (name_of(&value).into_iter().collect(), names_none(what))
        }
        None => {
            let missing = format!("it has no metadata `{key}`; {}", header.names_of_metadata());
            (Vec::new(), missing)
        }
    }
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
